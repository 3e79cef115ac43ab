import { PROFILES } from "../../../lib/database/pool.ts";
import type { Kernel } from "./kernel.ts";
import type { History, Channel } from "./steps.ts";

/** Time-out of a statement at its caller. The statement itself may still run. */
export const NO_ANSWER_MS = PROFILES.worker.answerMs;

type Window = { untilMs: number; byMs: number | undefined };

/** Delivers messages and statements, with losses and delays. */
export class Network {
  /** False once the history's trouble is over. */
  faulty = true;
  private readonly kernel: Kernel;
  private readonly lossPercent: number;
  private readonly latePercent: number;
  private readonly windows = new Map<Channel, Window[]>();

  constructor(kernel: Kernel, { lossPercent, latePercent }: History) {
    this.kernel = kernel;
    this.lossPercent = lossPercent;
    this.latePercent = latePercent;
  }

  /** Disturbs one channel for a while: loses everything, or delays it by `byMs`. */
  disturb(channel: Channel, forMs: number, byMs?: number): void {
    const windows = this.windows.get(channel) ?? [];
    windows.push({ untilMs: this.kernel.nowMs + forMs, byMs });
    this.windows.set(channel, windows);
  }

  /** Delivers a task. A lost task never runs. */
  carry(channel: Channel, toNode: string, task: () => void): void {
    const { kernel, faulty } = this;
    const active =
      this.windows.get(channel)?.filter(({ untilMs }) => faulty && untilMs > kernel.nowMs) ?? [];
    if (
      active.some(({ byMs }) => byMs === undefined) ||
      (faulty && kernel.chance(this.lossPercent / 100))
    )
      return;
    const delayMs =
      faulty && kernel.chance(this.latePercent / 100)
        ? kernel.between(300, 5_000)
        : kernel.between(0, 8);
    kernel.after(Math.max(delayMs, ...active.map(({ byMs = 0 }) => byMs)), toNode, task);
  }

  /** Draws how long a commit holds its row locks. */
  holdMs(): number {
    const { kernel, faulty, latePercent } = this;
    return faulty && kernel.chance(latePercent / 50)
      ? kernel.between(200, 3_000)
      : kernel.between(0, 5);
  }

  /**
   * Sends a statement and waits for its result. Rejects after a time-out; a late statement still
   * runs.
   */
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
