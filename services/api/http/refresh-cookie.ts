import type { IncomingMessage } from "node:http";

/** Only where it is needed is it sent: no other path of ours ever sees it. */
const PATH = "/api/auth";

/** Browsers take a name with this prefix from TLS only, so a page on plain HTTP cannot plant one. */
function nameOf(secure: boolean): string {
  return secure ? "__Secure-refresh" : "refresh";
}

/** The refresh token that a browser sends along; undefined where there is none, or two of which one must be planted. */
export function readRefreshCookie(request: IncomingMessage, secure: boolean): string | undefined {
  const prefix = `${nameOf(secure)}=`;
  const values = (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
  return values.length === 1 ? values[0] : undefined;
}

/** For the header Set-Cookie. `lifeS`: seconds it is kept; 0 takes it away. */
export function refreshCookie(token: string, lifeS: number, secure: boolean): string {
  return `${nameOf(secure)}=${token}; Path=${PATH}; Max-Age=${lifeS}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}
