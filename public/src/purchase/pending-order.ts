import { remember, remembered } from "../session/local-storage.ts";

/**
 * An order of which it is not yet known what became of it. It is written down before it is sent, so that after a reload, a crash or in another tab the same
 * key goes on: whatever happens on the way, the engine sells it once.
 */
export type Attempt = { key: string; quantity: number; sinceMs: number };

/** By person too: the engine knows a key as theirs, so with another's it would be another purchase. */
function nameOf(userId: string, eventId: string): string {
  return `boxoffice.purchase.${userId}.${eventId}`;
}

export function readAttempt(userId: string, eventId: string): Attempt | undefined {
  try {
    const { key, quantity, sinceMs } = JSON.parse(
      remembered(nameOf(userId, eventId)) ?? "{}",
    ) as Partial<Attempt>;
    return key !== undefined && quantity !== undefined && sinceMs !== undefined
      ? { key, quantity, sinceMs }
      : undefined;
  } catch {
    return undefined;
  }
}

export function writeAttempt(userId: string, eventId: string, attempt: Attempt | undefined): void {
  remember(nameOf(userId, eventId), attempt && JSON.stringify(attempt));
}
