/**
 * A map that forgets its oldest entry when full, so that input from outside cannot exhaust memory.
 */
export class FifoMap<Key, Value> {
  private readonly entries = new Map<Key, Value>();
  /**
   * One iterator for the whole life: a new one for each eviction would step over all deleted keys
   * first.
   */
  private readonly oldest = this.entries.keys();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  set(key: Key, value: Value): void {
    if (this.entries.size >= this.max && !this.entries.has(key)) {
      const oldest = this.oldest.next();
      if (oldest.done !== true) this.entries.delete(oldest.value);
    }
    this.entries.set(key, value);
  }

  delete(key: Key): void {
    this.entries.delete(key);
  }
}
