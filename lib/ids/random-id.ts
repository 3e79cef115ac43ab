import { randomFillSync } from "node:crypto";

const BYTES = 16;
const pool = Buffer.allocUnsafe(256 * BYTES);
let used = pool.length;

/**
 * Returns 128 random bits as 32 hexadecimal digits, for opaque ids. The result is one flat
 * string: `randomUUID` returns a rope of twenty pieces, which costs garbage collection.
 */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  return pool.toString("hex", used - BYTES, used);
}
