import type { Clock } from "../../../lib/concurrency/clock.ts";

/** PostgreSQL's clock, carried on by our own in between two answers, so that no decision depends on how right this machine's clock is. */
export class PostgresClock {
  private readonly clock: Clock;
  private base = { postgresMs: 0, ownMs: 0 };

  constructor(clock: Clock) {
    this.clock = clock;
  }

  nowMs(): number {
    return this.base.postgresMs + (this.clock.nowMs() - this.base.ownMs);
  }

  /**
   * PostgreSQL said `postgresMs` in an answer to what was asked at `askedAtMs` of our own clock. By now it shows at least that and at most the whole
   * way more; what we carried on stands where it lies in between, so neither a slow answer nor a clock that was set back leads us astray.
   */
  sync(postgresMs: number, askedAtMs: number): void {
    const ownMs = this.clock.nowMs();
    const most = postgresMs + (ownMs - askedAtMs);
    this.base = { postgresMs: Math.min(Math.max(postgresMs, this.nowMs()), most), ownMs };
  }
}
