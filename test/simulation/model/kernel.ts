import type { Clock } from "../../../lib/concurrency/clock.ts";

/** Virtual time and a seeded random generator. The same seed gives the same run, await by await. */
export class Kernel {
  nowMs = 0;
  private sequence = 0;
  private readonly agenda: {
    atMs: number;
    order: number;
    nodeId: string;
    task: () => void;
    cancelled: boolean;
  }[] = [];
  private readonly frozenUntilMs = new Map<string, number>();
  private readonly dead = new Set<string>();
  private state: number;
  private readonly skewMs: number;

  constructor(seed: number, skewMs = 0) {
    this.state = seed | 0;
    this.skewMs = skewMs;
  }

  /** Mulberry32 (Tommy Ettinger, public domain). */
  random = (): number => {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  chance(probability: number): boolean {
    return this.random() < probability;
  }
  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  /** Schedules a task of a node. A frozen node runs it later, a dead node never. */
  after(delayMs: number, nodeId: string, task: () => void): { cancel(): void } {
    const item = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.sequence++,
      nodeId,
      task,
      cancelled: false,
    };
    this.insert(item);
    return { cancel: () => (item.cancelled = true) };
  }
  freeze(nodeId: string, forMs: number): void {
    this.frozenUntilMs.set(
      nodeId,
      Math.max(this.frozenUntilMs.get(nodeId) ?? 0, this.nowMs + forMs),
    );
  }
  kill(nodeId: string): void {
    this.dead.add(nodeId);
  }
  isDead(nodeId: string): boolean {
    return this.dead.has(nodeId);
  }
  /** The clock of a node, which is ahead of PostgreSQL's by the number in its name. */
  clockOf(nodeId: string): Clock {
    const aheadMs = this.skewMs * Number(/\d*$/.exec(nodeId)?.[0]);
    return {
      nowMs: () => this.nowMs + aheadMs,
      after: (delayMs, task) => this.after(delayMs, nodeId, task),
    };
  }

  /** Runs due tasks until `untilMs` or `done`. All promises settle between two tasks. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    while (!done()) {
      const item = this.agenda.at(-1);
      if (item === undefined || item.atMs > untilMs) {
        this.nowMs = untilMs;
        break;
      }
      this.agenda.pop();
      if (item.cancelled || this.dead.has(item.nodeId)) continue;
      const thawMs = this.frozenUntilMs.get(item.nodeId) ?? 0;
      if (thawMs > item.atMs) {
        this.insert({ ...item, atMs: thawMs });
        continue;
      }
      this.nowMs = item.atMs;
      item.task();
      await new Promise(setImmediate);
    }
  }

  /** Inserts in descending order, so that the next task is at the end. */
  private insert(item: (typeof this.agenda)[number]): void {
    let low = 0;
    let high = this.agenda.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.agenda[middle];
      if (
        other !== undefined &&
        (other.atMs > item.atMs || (other.atMs === item.atMs && other.order > item.order))
      )
        low = middle + 1;
      else high = middle;
    }
    this.agenda.splice(low, 0, item);
  }
}
