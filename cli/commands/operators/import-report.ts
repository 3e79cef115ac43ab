import { appendFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Told } from "../../../tools/feeds/feed-record.ts";

const FILES_MAX = 50;

/** Names records of one import in a file of DATA_DIR/imports. */
export type ImportReport = {
  add(told: Told): void;
  /** Undefined: nothing was to be named. */
  path(): string | undefined;
};

/** Creates the file with its first line, one JSON object each. Deletes the oldest reports. */
export function createImportReport(dataDir: string, now: Date): ImportReport {
  const folder = join(dataDir, "imports");
  const name = `${now.toISOString().replace(/[:.]/g, "-")}-${process.pid}.ndjson`;
  let path: string | undefined;
  const open = (): string => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const old = readdirSync(folder)
      .filter((file) => file.endsWith(".ndjson"))
      .sort();
    for (const file of old.slice(0, Math.max(0, old.length - FILES_MAX + 1)))
      rmSync(join(folder, file), { force: true });
    return join(folder, name);
  };
  return {
    add(told) {
      path ??= open();
      appendFileSync(path, `${JSON.stringify(told)}\n`, { mode: 0o600 });
    },
    path: () => path,
  };
}
