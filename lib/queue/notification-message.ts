import { UUID } from "../../domain/uuid.ts";

export const NOTIFICATION_QUEUE = "notifications";

/** The dedupe keys of notifications that are due. */
export type NotificationMessage = { keys: string[] };

const isKey = (key: unknown): key is string => typeof key === "string" && UUID.test(key);

export function encodeNotifications(keys: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify({ keys }));
}

/** Parses a message. Undefined if it is not JSON or has another shape. */
export function readNotifications(content: Buffer): NotificationMessage | undefined {
  try {
    const { keys } = JSON.parse(content.toString("utf8")) as { keys?: unknown };
    return Array.isArray(keys) && keys.every(isKey) ? { keys } : undefined;
  } catch {
    return undefined;
  }
}
