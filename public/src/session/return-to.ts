/** Where to go after signing in: an address of this app, never of another site, whatever stands in the link that led here. */
export function returnTo(wanted: string | null, origin: string): string {
  if (!wanted?.startsWith("/")) return "/";
  try {
    const url = new URL(wanted, origin);
    return url.origin === origin ? url.pathname + url.search : "/";
  } catch {
    return "/";
  }
}

/** The way to sign in from here, and back. */
export function signInPath(from: string): string {
  return from === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(from)}`;
}
