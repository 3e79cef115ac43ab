export const NOTIFICATION_QUEUE = "notifications";

/** The dedupe keys of notifications that are due. */
export type NotificationMessage = { keys: string[] };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function encodeNotifications(keys: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify({ keys }));
}

/** Parses a message. Undefined if it is not JSON or has another shape. */
export function readNotifications(content: Buffer): NotificationMessage | undefined {
  try {
    const { keys } = JSON.parse(content.toString("utf8")) as { keys?: unknown };
    const read = Array.isArray(keys) ? keys.filter((key) => UUID.test(String(key))) : [];
    return Array.isArray(keys) && read.length === keys.length
      ? { keys: read as string[] }
      : undefined;
  } catch {
    return undefined;
  }
}
