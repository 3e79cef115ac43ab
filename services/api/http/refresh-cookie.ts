import type { IncomingMessage } from "node:http";

/** Browsers send the cookie to these paths only. */
const PATH = "/api/auth";

/** Browsers accept the `__Secure-` prefix over TLS only, so plain HTTP cannot plant a cookie. */
function nameOf(secure: boolean): string {
  return secure ? "__Secure-refresh" : "refresh";
}

/** Reads the refresh token. Undefined if there is none, or two: one of them must be planted. */
export function readRefreshCookie(request: IncomingMessage, secure: boolean): string | undefined {
  const prefix = `${nameOf(secure)}=`;
  const values = (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
  return values.length === 1 ? values[0] : undefined;
}

/** The value of Set-Cookie. `lifeS`: lifetime in seconds; 0 removes the cookie. */
export function refreshCookie(token: string, lifeS: number, secure: boolean): string {
  const attributes = `Path=${PATH}; Max-Age=${lifeS}; HttpOnly; SameSite=Strict`;
  return `${nameOf(secure)}=${token}; ${attributes}${secure ? "; Secure" : ""}`;
}
