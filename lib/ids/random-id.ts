import { randomFillSync } from "node:crypto";

const BYTES = 16;
const pool = Buffer.allocUnsafe(256 * BYTES);
let used = pool.length;

/**
 * 128 random bits as 32 hexadecimal digits, for what is only ever compared. One string: `randomUUID` gives one that is linked of twenty, each of which the
 * collector copies for as long as somebody waits for an answer.
 */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  return pool.toString("hex", used - BYTES, used);
}
