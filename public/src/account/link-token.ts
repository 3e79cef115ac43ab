/**
 * Reads the token of an e-mail's link: #token=…. Browsers keep fragments to themselves, so that no
 * log of a server or a proxy has it.
 */
export function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}
