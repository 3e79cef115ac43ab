import { destination } from "pino";
import { isNoRoom, processTroubles } from "./troubles.ts";

/** Lines that wait while the disk is full or the reader stalls. Beyond this they are lost. */
const WAITING_BYTES_MAX = 64 * 1_024 * 1_024;
const RETRY_MS = 1_000;

export type Output = { write(text: string): unknown; flushSync(): void; reopen(): void };

/**
 * Opens a file or standard output for lines of the log or the audit trail. On a full disk the lines
 * wait in memory and are written again every second: without a listener the error would end the
 * process.
 */
export function openOutput(
  kind: "audit" | "log",
  options: { dest: string | number; append?: boolean; mode?: number },
): Output {
  const output = destination({ ...options, sync: false, maxLength: WAITING_BYTES_MAX });
  const by = {};
  let retry: NodeJS.Timeout | undefined;
  output.on("error", (error: unknown) => {
    if (!isNoRoom(error)) throw error;
    processTroubles.begin(kind, by, error.code);
    clearTimeout(retry);
    // An empty text makes the stream write what it has kept.
    retry = setTimeout(() => output.write(""), RETRY_MS).unref();
  });
  // All that waited is written.
  output.on("drain", () => processTroubles.end(kind, by));
  return output;
}
