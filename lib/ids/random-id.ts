import { randomFillSync } from "node:crypto";

const BYTES = 16;
const pool = Buffer.allocUnsafe(256 * BYTES);
let used = pool.length;

/**
 * Returns 128 random bits as 32 hexadecimal digits, for ids that are only compared. One flat
 * string: `randomUUID` returns a rope of twenty, which the garbage collector copies while a request
 * waits.
 */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  return pool.toString("hex", used - BYTES, used);
}
