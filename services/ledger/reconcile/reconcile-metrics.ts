import { type Metrics, SECONDS } from "../../../lib/observability/metrics.ts";

export type ReconcileWatch = {
  /** A part is done: the durations of its statements, and how many events were judged. */
  judged(tookMs: readonly number[], events: number): void;
  /** Of a run through all events: the event where it goes on. Undefined: all are judged. */
  reached(event: string | undefined): void;
};

/** Registers what this node has reconciled. Each call may reach another node. */
export function registerReconcileMetrics(metrics: Metrics): ReconcileWatch {
  const statements = metrics.histogram(
    "boxoffice_reconcile_statement_seconds",
    "Duration of a statement that compares a part.",
    SECONDS,
  );
  const judged = metrics
    .counters("boxoffice_reconciled_events_total", "Events whose numbers were compared.")
    .child();
  let progress: number | undefined;
  metrics.read(
    "boxoffice_reconcile_progress_ratio",
    "How far the last call went through the ids of all events, from 0 to 1.",
    "gauge",
    () => (progress === undefined ? [] : [{ value: progress }]),
  );
  return {
    judged(tookMs, events) {
      for (const ms of tookMs) statements.observe(ms / 1_000);
      judged.value += events;
    },
    reached(event) {
      // Ids are spread evenly.
      progress = event === undefined ? 1 : parseInt(event.slice(0, 8), 16) / 2 ** 32;
    },
  };
}
