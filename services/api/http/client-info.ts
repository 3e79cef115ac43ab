import type { IncomingMessage } from "node:http";
import { isIP, isIPv6, SocketAddress } from "node:net";
import { LRUCache } from "lru-cache";
import proxyAddress from "proxy-addr";
import { randomId } from "../../../lib/ids.ts";
import { readRefreshCookie } from "./refresh-cookie.ts";

/** What a request says about its client before any token is read. */
export type Client = {
  /** An IP address. X-Forwarded-For counts as far as trusted proxies have written it. */
  address: string;
  /** The client used TLS, to this gateway or to a trusted proxy. */
  secure: boolean;
  refreshCookie: string | undefined;
  /** Printable and bounded, for the list of sessions. */
  userAgent: string | undefined;
  /** A browser reports a page of another origin as the sender. */
  foreign: boolean;
};

const USER_AGENT_MAX = 256;
/** Clients whose address is remembered: a request asks three times, and people come again. */
const REMEMBERED_MAX = 10_000;
/** Longer headers of forwarded addresses are read each time. */
const REMEMBERED_CHARACTERS_MAX = 200;

/**
 * How a request arrived. `secure`: TLS, to this gateway or to a trusted proxy. `near`: plain HTTP
 * from this machine or a trusted proxy. `exposed`: plain HTTP from any other machine.
 */
export type Transport = "secure" | "near" | "exposed";

export type ClientReader = {
  transportOf: (request: IncomingMessage) => Transport;
  addressOf: (request: IncomingMessage) => string;
  clientOf: (request: IncomingMessage) => Client;
};

/**
 * Reads client facts from requests. `trustedProxies` are addresses or CIDR ranges; only their
 * X-Forwarded headers count. One number instead: so many proxies are in front, whatever their
 * addresses.
 */
export function createClientReader(trustedProxies: readonly string[]): ClientReader {
  const hopsTrusted = hopCount(trustedProxies);
  const inRange =
    hopsTrusted === undefined
      ? proxyAddress.compile(trustedProxies.flatMap(halvesOfAll))
      : (_address: string, hop: number): boolean => hop < hopsTrusted;
  const isTrustedHop = (address: string, hop: number): boolean =>
    isIP(address) !== 0 && inRange(address, hop);
  const trustedPeers = new LRUCache<string, boolean>({
    max: REMEMBERED_MAX,
    memoMethod: (peer) => isTrustedHop(peer, 0),
  });
  const isTrusted = (peer: string): boolean => trustedProxies.length > 0 && trustedPeers.memo(peer);
  const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? "");
  const addresses = new LRUCache<string, string>({ max: REMEMBERED_MAX });

  const addressOf = (request: IncomingMessage): string => {
    const peer = peerOf(request);
    if (!isTrusted(peer)) return peer;
    const forwarded = String(request.headers["x-forwarded-for"] ?? "");
    const key = `${peer} ${forwarded}`;
    const known = addresses.get(key);
    if (known !== undefined) return known;
    const address = forwardedAddress(request, peer);
    if (key.length <= REMEMBERED_CHARACTERS_MAX) addresses.set(key, address);
    return address;
  };

  const forwardedAddress = (request: IncomingMessage, peer: string): string => {
    // The peer, then the entries from the right up to the first that no trusted proxy has.
    const hops = proxyAddress
      .all(request, (entry, hop) => isTrustedHop(hopAddress(entry), hop))
      .map(hopAddress);
    // An entry that is no address is skipped: the trusted proxy that wrote it is the best answer.
    return hops.findLast((hop) => isIP(hop) !== 0) ?? peer;
  };

  const transportOf = (request: IncomingMessage): Transport => {
    if (isTls(request)) return "secure";
    const peer = peerOf(request);
    if (!isTrusted(peer)) return peer.startsWith("127.") || peer === "::1" ? "near" : "exposed";
    return forwardedByTls(request.headers) ? "secure" : "near";
  };

  const clientOf = (request: IncomingMessage): Client => {
    const { headers } = request;
    const proxied = isTrusted(peerOf(request));
    const secure = isTls(request) || (proxied && forwardedByTls(headers));
    const host = (proxied ? listOf(headers["x-forwarded-host"]).at(-1) : undefined) ?? headers.host;
    return {
      address: addressOf(request),
      secure,
      refreshCookie: readRefreshCookie(request, secure),
      userAgent: headers["user-agent"]
        ?.slice(0, USER_AGENT_MAX)
        .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "\u{fffd}"),
      foreign: isForeign(headers, host, secure),
    };
  };
  return { transportOf, addressOf, clientOf };
}

/** The client's own request id if it is safe in a log, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const id = request.headers["x-request-id"];
  return typeof id === "string" && /^[\w-]{1,128}$/.test(id) ? id : randomId();
}

/**
 * Judges by headers that no page can change (Fetch Metadata, Origin). Programs send neither.
 * Another port or subdomain of the same site is foreign, too.
 */
function isForeign(
  headers: IncomingMessage["headers"],
  host: string | undefined,
  secure: boolean,
): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  const { origin } = headers;
  if (origin === undefined) return false;
  if (host === undefined || !URL.canParse(origin)) return true;
  const { protocol, host: originHost } = new URL(origin);
  return originHost !== host.toLowerCase() || (secure && protocol !== "https:");
}

/** Works for HTTP/2, too: its requests have a proxy of the socket. */
function isTls({ socket }: IncomingMessage): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

function forwardedByTls(headers: IncomingMessage["headers"]): boolean {
  return listOf(headers["x-forwarded-proto"]).at(-1)?.toLowerCase() === "https";
}

/** The address of one entry of X-Forwarded-For, without its port: `1.2.3.4:80`, `[::1]:443`. */
function hopAddress(entry: string): string {
  const text = entry.trim();
  const [, bracketed, withPort] =
    /^\[([\da-f.:]+)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/i.exec(text) ?? [];
  const address = plainAddress(bracketed ?? withPort ?? text);
  if (!isIPv6(address)) return address;
  // One spelling per address: rate limits and the audit trail compare texts.
  return plainAddress(new SocketAddress({ address, family: "ipv6" }).address);
}

/** IPv4 in its own notation, also where a socket writes it as IPv6. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function hopCount([first = "", ...more]: readonly string[]): number | undefined {
  return more.length === 0 && /^\d+$/.test(first) ? Number(first) : undefined;
}

/** proxy-addr refuses the prefix 0, so a range of all addresses becomes its two halves. */
function halvesOfAll(range: string): string[] {
  if (!range.endsWith("/0")) return [range];
  return isIPv6(range.slice(0, -2)) ? ["::/1", "8000::/1"] : ["0.0.0.0/1", "128.0.0.0/1"];
}

function listOf(header: string | string[] | undefined): string[] {
  return (Array.isArray(header) ? header.join() : (header ?? ""))
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
}
