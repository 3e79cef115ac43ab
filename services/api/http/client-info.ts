import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { readRefreshCookie } from "./refresh-cookie.ts";

/** Who is at the other end, as far as it can be known without a token. */
export type Client = {
  /** An IP address; of what proxies say only the trusted ones' word counts. */
  address: string;
  /** Whether the way from the client is TLS, ours or a trusted proxy's. */
  secure: boolean;
  refreshCookie: string | undefined;
  /** Printable and bounded, as the list of sessions shows it. */
  userAgent: string | undefined;
  /** A browser says that a page of another origin asks. */
  foreign: boolean;
};

const USER_AGENT_MAX = 256;

/**
 * How a request came: `secure` over TLS (ours or a trusted proxy's), `near` over plain HTTP from this machine or a trusted proxy, `exposed` over plain
 * HTTP from anywhere else.
 */
export type Way = "secure" | "near" | "exposed";

export type ClientReader = {
  wayOf(request: IncomingMessage): Way;
  addressOf(request: IncomingMessage): string;
  clientOf(request: IncomingMessage): Client;
};

/** Reads what a request tells of its client. `trustedProxies`: addresses or CIDR ranges whose X-Forwarded headers count. */
export function createClientReader(trustedProxies: readonly string[]): ClientReader {
  const trusted = blockListOf(trustedProxies);
  const isTrusted = (address: string): boolean => {
    const family = trustedProxies.length === 0 ? 0 : isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? "ipv6" : "ipv4");
  };
  const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? "");

  const addressOf = (request: IncomingMessage): string => {
    const peer = peerOf(request);
    if (!isTrusted(peer)) return peer;
    // From the right: what our own proxies have added, then the first that is none of them. What stands before it anybody may have made up.
    const hops = listOf(request.headers["x-forwarded-for"]).map(plainAddress);
    const claimed = hops.findLast((hop) => !isTrusted(hop)) ?? hops[0];
    return claimed !== undefined && isIP(claimed) !== 0 ? claimed : peer;
  };

  const wayOf = (request: IncomingMessage): Way => {
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
  return { wayOf, addressOf, clientOf };
}

/**
 * Browsers say where a request comes from, and no page can change it (Fetch Metadata, Origin). Programs say neither.
 * A same-site neighbour is as foreign as any: another port or subdomain is somebody else.
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

/** Also through HTTP/2, whose sockets are stand-ins. */
function isTls({ socket }: IncomingMessage): boolean {
  return (socket as { encrypted?: boolean }).encrypted === true;
}

function forwardedByTls(headers: IncomingMessage["headers"]): boolean {
  return listOf(headers["x-forwarded-proto"]).at(-1)?.toLowerCase() === "https";
}

/** IPv4 as it is written, also where the socket speaks IPv6. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function listOf(header: string | string[] | undefined): string[] {
  return (Array.isArray(header) ? header.join() : (header ?? ""))
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
}

function blockListOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = "", prefix] = proxy.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
