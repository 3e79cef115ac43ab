import { hash } from "node:crypto";

const CAPACITY_FIRST = 1 << 12;

/** The key of a record in a feed's set. What left the feed is found by the same key. */
export function recordKey(source: string, id: string): string {
  return `${source}\n${id}`;
}

/**
 * Set of keys, stored as 64 bits of their hash in 16 to 32 bytes a key: 16 MB for a feed of a
 * million records. Takes two different keys for one with a probability of 3 in 10^8 at a million
 * keys.
 */
export class SeenKeys {
  #slots = new BigUint64Array(CAPACITY_FIRST);
  #size = 0;

  has(key: string): boolean {
    return includes(this.#slots, markOf(key));
  }

  /** Returns true if the key is new. */
  add(key: string): boolean {
    const mark = markOf(key);
    if (!insert(this.#slots, mark)) return false;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const wider = new BigUint64Array(this.#slots.length * 2);
    for (const mark of this.#slots) if (mark !== 0n) insert(wider, mark);
    this.#slots = wider;
  }
}

function markOf(key: string): bigint {
  const digest = hash("sha256", key, "buffer");
  // Zero marks a free slot.
  return digest.readBigUInt64LE(0) || 1n;
}

function includes(slots: BigUint64Array, mark: bigint): boolean {
  return slots[slotOf(slots, mark)] === mark;
}

function insert(slots: BigUint64Array, mark: bigint): boolean {
  const index = slotOf(slots, mark);
  if (slots[index] === mark) return false;
  slots[index] = mark;
  return true;
}

/** Linear probing; the table is never more than half full. */
function slotOf(slots: BigUint64Array, mark: bigint): number {
  const last = slots.length - 1;
  let index = Number(mark & 0x7fffffffn) & last;
  while (slots[index] !== mark && slots[index] !== 0n) index = (index + 1) & last;
  return index;
}
