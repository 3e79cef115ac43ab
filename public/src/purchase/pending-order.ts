import { readItem, writeItem } from "../session/local-storage.ts";

/**
 * An order whose outcome is not known yet. Stored before it is sent, so that a reload, a crash or
 * another tab continues with the same idempotency key, and the engine sells it once.
 */
export type PendingOrder = { key: string; quantity: number; sinceMs: number };

/** Contains the user: the same key of another user would be another purchase. */
function itemName(userId: string, eventId: string): string {
  return `boxoffice.purchase.${userId}.${eventId}`;
}

export function readPendingOrder(userId: string, eventId: string): PendingOrder | undefined {
  try {
    const stored = readItem(itemName(userId, eventId)) ?? "{}";
    const { key, quantity, sinceMs } = JSON.parse(stored) as Partial<PendingOrder>;
    return key !== undefined && quantity !== undefined && sinceMs !== undefined
      ? { key, quantity, sinceMs }
      : undefined;
  } catch {
    return undefined;
  }
}

export function writePendingOrder(
  userId: string,
  eventId: string,
  order: PendingOrder | undefined,
): void {
  writeItem(itemName(userId, eventId), order && JSON.stringify(order));
}
