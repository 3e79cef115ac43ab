import { type LookupAddress, promises as dns } from "node:dns";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { PictureError } from "./picture-error.ts";
import { isPublicAddress } from "./public-address.ts";

/** What a download reaches. Tests pass their own; no variable changes the internet's rules. */
export type Network = {
  /** Resolves a host name to all its addresses. */
  resolve: (host: string) => Promise<readonly LookupAddress[]>;
  isPublic: (address: string) => boolean;
  /** Port and authority of a test's server, which stands for port 443 of every host. */
  server?: { port: number; ca: string };
};

export const INTERNET: Network = {
  resolve: (host) => dns.lookup(host, { all: true }),
  isPublic: isPublicAddress,
};

export type DownloadLimits = { bytesMax: number; timeoutMs: number; redirectsMax: number };

/** A photo of a camera has 8 MB at most. The time is that of all redirects together. */
export const DOWNLOAD_LIMITS: DownloadLimits = {
  bytesMax: 8_000_000,
  timeoutMs: 10_000,
  redirectsMax: 3,
};

const HTTPS_PORT = 443;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const HEADERS = {
  Accept: "image/avif,image/webp,image/png,image/jpeg,image/gif",
  // A packed body could grow without a bound.
  "Accept-Encoding": "identity",
  "User-Agent": "boxoffice-import",
};

/**
 * Downloads a picture over https from public addresses only, so that a feed cannot reach servers of
 * the operator's network (SSRF). Each host is resolved once, and the connection is made to the
 * addresses that were judged: a second answer of the DNS changes nothing. Rejects with PictureError
 * for an address that is not allowed, for a bound that is exceeded, and for every failure.
 */
export async function downloadPicture(
  address: string,
  {
    network = INTERNET,
    limits = DOWNLOAD_LIMITS,
    signal: stop,
  }: { network?: Network; limits?: DownloadLimits; signal?: AbortSignal } = {},
): Promise<Buffer> {
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  const signal = stop === undefined ? timeout : AbortSignal.any([timeout, stop]);
  try {
    return await unlessAborted(followed(address, network, limits, signal), signal);
  } catch (error) {
    if (timeout.aborted)
      throw new PictureError(`it takes longer than ${limits.timeoutMs / 1_000} s`);
    if (error instanceof PictureError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new PictureError(`the server cannot be reached (${code ?? "no connection"})`);
  }
}

async function followed(
  address: string,
  network: Network,
  limits: DownloadLimits,
  signal: AbortSignal,
): Promise<Buffer> {
  let url = parsed(address);
  for (let redirects = 0; ; redirects += 1) {
    const addresses = await publicAddresses(url, network);
    signal.throwIfAborted();
    const response = await ask(url, addresses, network, signal);
    const { statusCode = 0, headers } = response;
    if (!REDIRECTS.has(statusCode)) return readBody(response, limits.bytesMax);
    response.destroy();
    if (redirects === limits.redirectsMax)
      throw new PictureError(`it is redirected more than ${limits.redirectsMax} times`);
    url = parsed(headers.location ?? "", url);
  }
}

/** Parses an address that may be fetched. Throws PictureError for another. */
function parsed(address: string, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw new PictureError("its address is not a URL");
  const url = new URL(address, base);
  if (url.protocol !== "https:") throw new PictureError("its address is not https");
  if (url.port !== "") throw new PictureError(`its address has another port than ${HTTPS_PORT}`);
  if (url.username !== "" || url.password !== "")
    throw new PictureError("its address has a user name or a password");
  return url;
}

/** Resolves the host. Throws PictureError if one of its addresses is not public. */
async function publicAddresses(
  { hostname }: URL,
  { resolve, isPublic }: Network,
): Promise<readonly LookupAddress[]> {
  const literal = hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(literal);
  const addresses = family === 0 ? await resolve(hostname) : [{ address: literal, family }];
  if (addresses.length === 0) throw new PictureError("its host has no address");
  if (!addresses.every(({ address }) => isPublic(address)))
    throw new PictureError("its host is not on the public internet");
  return addresses;
}

async function ask(
  url: URL,
  addresses: readonly LookupAddress[],
  { server }: Network,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const [first] = addresses;
  const pinned: LookupFunction = (_host, { all }, callback) => {
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
  return new Promise((resolve, reject) => {
    request({
      hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: server?.port ?? HTTPS_PORT,
      path: url.pathname + url.search,
      headers: { ...HEADERS, Host: url.host },
      // An agent of its own: no connection is used again, and no proxy of the environment.
      agent: new Agent({ keepAlive: false }),
      lookup: pinned,
      signal,
      ...(server && { ca: server.ca }),
    })
      .once("response", resolve)
      .once("error", reject)
      .end();
  });
}

/** Reads the body of a 200, and stops at the first byte above the bound. */
async function readBody(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const { statusCode, headers } = response;
  const tooLarge = new PictureError(`it has more than ${bytesMax / 1_000_000} MB`);
  try {
    if (statusCode !== 200) throw new PictureError(`the server answered ${statusCode ?? 0}`);
    if ((headers["content-encoding"] ?? "identity") !== "identity")
      throw new PictureError("the server sends it packed");
    if (Number(headers["content-length"] ?? 0) > bytesMax) throw tooLarge;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    response.destroy();
  }
}

/** The resolver of the system cannot be stopped; its answer is dropped. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
