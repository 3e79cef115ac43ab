import type { IncomingMessage } from "node:http";

/** A host name or address with an optional port, as RFC 9110 7.2 has it. May be empty. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(?::\d{0,5})?$/i;
const ABSOLUTE = /^https?:\/\/([^/?]+)(.*)$/is;

/**
 * Checks what RFC 9112 asks of every request, and gives each target the origin-form. Returns what
 * is wrong, undefined if nothing is. Node's parser has read the bytes; it checks none of this.
 */
export function checkHead(request: IncomingMessage): string | undefined {
  const isHttp2 = "stream" in request;
  // Node's parser also accepts other versions, such as HTTP/2.0 without its binary framing.
  if (!isHttp2 && request.httpVersionMajor !== 1) return "This connection speaks HTTP/1.1";
  const wrongHost = isHttp2 ? checkAuthority(request) : checkHost(request);
  if (wrongHost !== undefined) return wrongHost;
  if (!isHttp2 && !endsInChunks(request))
    return "A Transfer-Encoding ends with chunked, and needs HTTP/1.1";
  const { url = "" } = request;
  if (url.startsWith("/") || (url === "*" && request.method === "OPTIONS")) return undefined;
  return checkAbsoluteTarget(request, url);
}

/** One Host header with a valid value. HTTP/1.0 may have none. */
function checkHost({ rawHeaders, headers, httpVersionMinor }: IncomingMessage): string | undefined {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  if (hosts === 0 && httpVersionMinor === 0) return undefined;
  if (hosts !== 1) return "A request has one Host header";
  return HOST.test(headers.host ?? "") ? undefined : "The Host header is not a host";
}

/**
 * Otherwise the end of the body is not known (RFC 9112 6.1 and 6.3). Node's parser finds that out
 * behind the head: whether the request was answered before would depend on the moment.
 */
function endsInChunks({ headers, httpVersionMinor }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  return coding === undefined || (httpVersionMinor > 0 && /(?:^|[,\s])chunked\s*$/i.test(coding));
}

/** HTTP/2 has `:authority` in the place of Host. Where both are sent they must agree. */
function checkAuthority({ headers }: IncomingMessage): string | undefined {
  const { ":authority": authority, host } = headers;
  if (authority !== undefined && host !== undefined && host !== authority)
    return "Host differs from :authority";
  headers.host ??= authority as string | undefined;
  if (headers.host === undefined) return "A request has one Host header";
  return HOST.test(headers.host) ? undefined : "The Host header is not a host";
}

/** Absolute-form: its authority replaces Host (RFC 9112 3.2.2). */
function checkAbsoluteTarget(request: IncomingMessage, url: string): string | undefined {
  const [, authority, rest = ""] = ABSOLUTE.exec(url) ?? [];
  if (authority === undefined || !HOST.test(authority) || !URL.canParse(url))
    return "The request target is neither a path nor an http URL";
  request.headers.host = authority;
  if (rest === "" && request.method === "OPTIONS") request.url = "*";
  else request.url = rest.startsWith("/") ? rest : `/${rest}`;
  return undefined;
}
