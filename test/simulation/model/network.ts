import type { Kernel } from "./kernel.ts";
import type { History, Way } from "./steps.ts";

/** A caller that hears nothing for this long takes its statement for lost; the statement may go on. */
const NO_ANSWER_MS = 2_500;

type Window = { untilMs: number; byMs: number | undefined };

/** Everything that travels, and what happens to it on the way. */
export class Network {
  /** While true things go wrong. */
  faulty = true;
  private readonly kernel: Kernel;
  private readonly lossPercent: number;
  private readonly latePercent: number;
  private readonly windows = new Map<Way, Window[]>();

  constructor(kernel: Kernel, { lossPercent, latePercent }: History) {
    this.kernel = kernel;
    this.lossPercent = lossPercent;
    this.latePercent = latePercent;
  }

  /** For a while all on this way is lost, or late by `byMs`. */
  disturb(way: Way, forMs: number, byMs?: number): void {
    const windows = this.windows.get(way) ?? [];
    windows.push({ untilMs: this.kernel.nowMs + forMs, byMs });
    this.windows.set(way, windows);
  }

  /** Carries something there; what is lost never runs. */
  carry(way: Way, toNode: string, task: () => void): void {
    const { kernel, faulty } = this;
    const now =
      this.windows.get(way)?.filter(({ untilMs }) => faulty && untilMs > kernel.nowMs) ?? [];
    if (
      now.some(({ byMs }) => byMs === undefined) ||
      (faulty && kernel.chance(this.lossPercent / 100))
    )
      return;
    const late =
      faulty && kernel.chance(this.latePercent / 100)
        ? kernel.between(300, 5_000)
        : kernel.between(0, 8);
    kernel.after(Math.max(late, ...now.map(({ byMs = 0 }) => byMs)), toNode, task);
  }

  /** How long a statement that has its row takes. */
  pauseDeadlines(): number {
    const { kernel, faulty, latePercent } = this;
    return faulty && kernel.chance(latePercent / 50)
      ? kernel.between(200, 3_000)
      : kernel.between(0, 5);
  }

  /** A statement on its way to PostgreSQL and back. Rejects where no answer comes; what a late one does, it does late. */
  ask<T>(
    nodeId: string,
    statement: (done: (result: T) => void, fail: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.kernel.after(NO_ANSWER_MS, nodeId, () => reject(new Error("no answer")));
      const back = (settle: () => void): void =>
        this.carry("results", nodeId, () => {
          timer.cancel();
          settle();
        });
      this.carry("statements", "postgres", () =>
        statement(
          (result) => back(() => resolve(result)),
          (error) => back(() => reject(error)),
        ),
      );
    });
  }
}
