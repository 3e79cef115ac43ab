import { createHmac } from "node:crypto";

/**
 * Derives the id of a purchase, 128 hexadecimal digits. The same key of the same customer for the
 * same event is the same purchase on every node and at any time. `key` comes last, so that no key
 * can imitate another customer or event.
 */
export function purchaseId(secret: string, userId: string, eventId: string, key: string): string {
  return hmac(secret, `buy|${userId}|${eventId}|${key}`);
}

/** Derives the id of a cancellation: a ticket can be cancelled once. */
export function cancellationId(secret: string, ticketId: string): string {
  return hmac(secret, `cancel|${ticketId}`);
}

function hmac(secret: string, text: string): string {
  return createHmac("sha512", secret).update(text).digest("hex");
}
