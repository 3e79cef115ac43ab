import type { Clock } from "../../../lib/concurrency/clock.ts";

/**
 * PostgreSQL's clock, carried on monotonically between two answers, so that no decision depends on
 * this machine's clock.
 */
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
   * Adjusts the clock by an answer. PostgreSQL reported `postgresMs` in the answer to a query that
   * was sent at `askedAtMs` of our clock. Its clock now shows at least that, and at most the whole
   * round trip more. Our value stays if it lies between, so neither a slow answer nor a clock that
   * was set back causes an error.
   */
  sync(postgresMs: number, askedAtMs: number): void {
    const ownMs = this.clock.nowMs();
    const most = postgresMs + (ownMs - askedAtMs);
    this.base = { postgresMs: Math.min(Math.max(postgresMs, this.nowMs()), most), ownMs };
  }
}
