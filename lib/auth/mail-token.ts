import { createHash, createHmac } from "node:crypto";

export type TokenPurpose = "password-reset" | "confirmation";

/**
 * Derives the token of an e-mail's link, 256 bits in base64url, from the notification's key, which
 * is random. Auth stores its hash, the notifier derives it again for each try to send. Neither
 * table has the token, and the key alone does not reveal it. See ADR-0090.
 */
export function mailToken(secret: string, purpose: TokenPurpose, key: string): string {
  return createHmac("sha256", secret).update(`${purpose}|${key}`).digest("base64url");
}

/** Hashes a token with SHA-256. A slow hash adds nothing: 256 random bits cannot be guessed. */
export function mailTokenHash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
