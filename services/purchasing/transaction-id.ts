import { createHmac } from "node:crypto";

/**
 * The id of a purchase, 128 hexadecimal digits: the same key of the same person for the same event is the same purchase, wherever and whenever it
 * arrives. `key` comes last, so that no choice of it can imitate another person's or event's.
 */
export function purchaseId(secret: string, userId: string, eventId: string, key: string): string {
  return createHmac("sha512", secret).update(`buy|${userId}|${eventId}|${key}`).digest("hex");
}

/** The id of a cancellation: a ticket can be cancelled once. */
export function cancellationId(secret: string, ticketId: string): string {
  return createHmac("sha512", secret).update(`cancel|${ticketId}`).digest("hex");
}
