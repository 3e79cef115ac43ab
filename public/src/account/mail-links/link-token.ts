import type { Problem } from "../../api/problem.ts";

/** 256 bits in base64url. */
const TOKEN_LENGTH = 43;

/**
 * Reads the token of an e-mail's link: #token=…. Browsers keep fragments to themselves, so that no
 * log of a server or a proxy has it.
 */
export function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

/** Says whether the link was cut off, was used, or has expired. */
export function isUselessLink(token: string, problem: Problem | undefined): boolean {
  return token.length !== TOKEN_LENGTH || problem?.code === "LINK_INVALID";
}
