import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * 128 bits cannot be guessed, and the QR code stays small enough to be read from a crumpled sheet.
 */
const SEAL_BYTES = 16;

/**
 * Builds the content of a ticket's QR code: its id, sealed with the secret of transaction ids,
 * which never changes. A printed code stays valid for years. A cancelled ticket has the same code:
 * the check at the entrance reads its status (`tickets.check`).
 */
export function ticketCode(secret: string, ticketId: string): string {
  return `boxoffice:${ticketId}.${sealOf(secret, ticketId).toString("base64url")}`;
}

/** Adds its code to a ticket that admits: codes are derived, and never stored. */
export function withCode<T extends { id: string; status: string }>(
  secret: string,
  ticket: T,
): T & { code?: string } {
  return ticket.status === "active" ? { ...ticket, code: ticketCode(secret, ticket.id) } : ticket;
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
