/** Times in milliseconds, counted in tenths. Half a megabyte for any number of answers. */
export type Histogram = {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
};

const STEPS_PER_MS = 10;
const MOST_MS = 60_000;

export class Times {
  private readonly counts = new Uint32Array(MOST_MS * STEPS_PER_MS + 1);
  private total = 0;
  private max = 0;

  add(ms: number): void {
    const step = Math.min(MOST_MS * STEPS_PER_MS, Math.max(0, Math.round(ms * STEPS_PER_MS)));
    this.counts[step] = (this.counts[step] ?? 0) + 1;
    this.total += 1;
    if (ms > this.max) this.max = ms;
  }

  summary(): Histogram {
    const at = (share: number): number => this.percentile(share);
    return {
      count: this.total,
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      p999: at(0.999),
      max: Math.round(this.max * 10) / 10,
    };
  }

  /** The smallest time that a share (0 to 1) of all does not exceed. 0 if there is none. */
  private percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(this.total * share));
    let seen = 0;
    for (let step = 0; step < this.counts.length; step += 1) {
      seen += this.counts[step] ?? 0;
      if (seen >= rank) return step / STEPS_PER_MS;
    }
    return 0;
  }
}
