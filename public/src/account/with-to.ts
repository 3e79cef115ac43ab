/** Keeps the page to return to when the visitor changes to another form. */
export function withTo(path: string, params: URLSearchParams): string {
  const to = params.get("to");
  return to === null ? path : `${path}?to=${encodeURIComponent(to)}`;
}
