import { closeSync, openSync, readSync, writeSync } from "node:fs";

const PAGE_BYTES = 8_192;
/** Any byte of a page is under its checksum. */
const IN_PAGE = 8_000;

/** Flips a byte of a file. A second call mends it. */
export function flipByte(file: string, at: number): void {
  const descriptor = openSync(file, "r+");
  try {
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, at);
    writeSync(descriptor, Buffer.from([(byte[0] ?? 0) ^ 0xff]), 0, 1, at);
  } finally {
    closeSync(descriptor);
  }
}

/** Damages a page of a table or an index of a PostgreSQL that is stopped, or mends it. */
export function flipPage(file: string, page: number): void {
  flipByte(file, page * PAGE_BYTES + IN_PAGE);
}
