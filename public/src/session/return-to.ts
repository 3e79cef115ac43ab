/** Returns the path to open after a sign-in. Rejects addresses of other sites, however written. */
export function returnTo(wanted: string | null, origin: string): string {
  if (!wanted?.startsWith("/")) return "/";
  try {
    const { pathname, search, origin: its } = new URL(wanted, origin);
    // "/.//other.example" has our origin and the path "//other.example", which is another site.
    return its === origin && !pathname.startsWith("//") ? pathname + search : "/";
  } catch {
    return "/";
  }
}

/** Builds the address of the sign-in page that leads back to `from`. */
export function signInPath(from: string): string {
  return from === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(from)}`;
}
