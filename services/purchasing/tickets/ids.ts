import { randomFillSync, createHmac } from "node:crypto";
import { v7 as uuidv7 } from "uuid";

const RANDOM_BYTES = 16;
const IDS_AT_ONCE = 256;

/**
 * Creates UUIDv7 for tickets sold at an instant. Draws randomness for many ids at once, because 16
 * bytes cost nearly as much as 4,096.
 */
export function createTicketIds(): (nowMs: number) => string {
  const random = new Uint8Array(RANDOM_BYTES * IDS_AT_ONCE);
  let used = random.length;
  return (nowMs) => {
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    const own = random.subarray(used, (used += RANDOM_BYTES));
    return uuidv7({ msecs: Math.round(nowMs), random: own });
  };
}

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
