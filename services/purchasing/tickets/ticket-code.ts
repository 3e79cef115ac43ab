import { createHmac, timingSafeEqual } from "node:crypto";

/** 128 bits of the seal: nobody guesses them, and the code stays one that a phone reads from a crumpled sheet. */
const SEAL_BYTES = 16;

/**
 * What a ticket's QR code says: its id, sealed with the secret that its transactions are derived by, which never changes: what is printed today is good
 * at the door in a year. The same for a ticket that has been cancelled since: whoever lets people in asks what has become of it (`tickets.check`).
 */
export function ticketCode(secret: string, ticketId: string): string {
  return `boxoffice:${ticketId}.${sealOf(secret, ticketId).toString("base64url")}`;
}

/** The id of the ticket that a code names; undefined where we have not sealed it. */
export function ticketOfCode(secret: string, code: string): string | undefined {
  const [, ticketId, seal] = /^boxoffice:([0-9a-f-]{36})\.([\w-]{22})$/.exec(code) ?? [];
  if (ticketId === undefined || seal === undefined) return undefined;
  return timingSafeEqual(Buffer.from(seal, "base64url"), sealOf(secret, ticketId))
    ? ticketId
    : undefined;
}

function sealOf(secret: string, ticketId: string): Buffer {
  return createHmac("sha256", secret).update(`ticket|${ticketId}`).digest().subarray(0, SEAL_BYTES);
}
