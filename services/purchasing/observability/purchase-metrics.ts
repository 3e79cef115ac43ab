import { type Cell, type Metrics, SECONDS } from "../../../lib/observability/metrics.ts";
import { loopNowMs } from "../../../lib/concurrency/clock.ts";
import type { Publisher } from "../../../lib/queue/index.ts";
import { watchMessages } from "../../../lib/queue/queue-metrics.ts";
import type { PurchaseMetrics } from "../worker/ports.ts";
import type { Workers } from "../worker/workers.ts";

/** Events of this node that have series of their own: a label for each would be without bound. */
const BUSIEST_EVENTS = 20;
const BATCHES = [1, 2, 5, 10, 25, 50, 100, 250, 500];

export function registerPurchaseMetrics(
  metrics: Metrics,
  {
    workers,
    publisher,
  }: { workers: () => Workers | undefined; publisher: () => Publisher | undefined },
): PurchaseMetrics {
  watchMessages(metrics, "purchasing", publisher);
  const outcomes = metrics.counters(
    "boxoffice_purchase_outcomes_total",
    "Purchases and cancellations answered, by outcome.",
    ["command", "outcome"],
  );
  const duration = metrics.histogram(
    "boxoffice_purchase_duration_seconds",
    "From a command's arrival in its mailbox to its answer.",
    SECONDS,
  );
  const wait = metrics.histogram(
    "boxoffice_mailbox_wait_seconds",
    "From a command's arrival in its mailbox to its batch.",
    SECONDS,
  );
  const batch = metrics.histogram(
    "boxoffice_batch_commands",
    "Commands decided and committed together.",
    BATCHES,
  );
  const full = metrics
    .counters(
      "boxoffice_mailbox_full_total",
      "Commands refused at once because their event's mailbox was full.",
    )
    .child();
  const oversells = metrics
    .counters(
      "boxoffice_oversell_prevented_total",
      "Batches that would have sold more than is left. PostgreSQL refused them: a bug.",
    )
    .child();
  const events = metrics.counters(
    "boxoffice_worker_events_total",
    "What happened to workers: epochs taken and lost, faults of their store.",
    ["event"],
  );
  const status = () => workers()?.status() ?? [];
  metrics.read("boxoffice_workers", "Events that have a worker on this node.", "gauge", () => [
    { value: status().length },
  ]);
  metrics.read(
    "boxoffice_workers_degraded",
    "Workers that sell under their epoch alone, without a lease.",
    "gauge",
    () => [{ value: status().filter(({ degraded }) => degraded).length }],
  );
  metrics.read(
    "boxoffice_mailbox_commands",
    "Commands that wait in all mailboxes of this node.",
    "gauge",
    () => [{ value: status().reduce((sum, { mailbox }) => sum + mailbox, 0) }],
  );
  const busiest = () =>
    status()
      .sort((one, other) => other.sales - one.sales)
      .slice(0, BUSIEST_EVENTS);
  metrics.read(
    "boxoffice_event_available",
    "Places left of the events that sell most on this node.",
    "gauge",
    () =>
      busiest().flatMap(({ eventId, available }) =>
        available === null ? [] : [{ labels: { event: eventId }, value: available }],
      ),
  );
  metrics.read(
    "boxoffice_event_mailbox_commands",
    "Commands that wait in their mailboxes.",
    "gauge",
    () => busiest().map(({ eventId, mailbox }) => ({ labels: { event: eventId }, value: mailbox })),
  );
  metrics.read(
    "boxoffice_event_sales_total",
    "Their sales since their workers started.",
    "counter",
    () => busiest().map(({ eventId, sales }) => ({ labels: { event: eventId }, value: sales })),
  );

  const cells = { BuyTickets: new Map<string, Cell>(), CancelTicket: new Map<string, Cell>() };
  const cellOf = (command: "BuyTickets" | "CancelTicket", word: string): Cell => {
    let cell = cells[command].get(word);
    if (cell === undefined)
      cells[command].set(
        word,
        (cell = outcomes.child(command === "BuyTickets" ? "buy" : "cancel", word.toLowerCase())),
      );
    return cell;
  };
  // A rate needs a number before the first sale, or it misses that one.
  cellOf("BuyTickets", "ok");
  cellOf("CancelTicket", "ok");
  for (const note of [
    "epoch-taken",
    "epoch-lost",
    "commit-failed",
    "oversell-prevented",
    "commit-unknown",
    "store-away",
  ] as const)
    events.child(note);

  return {
    answered(command, outcome, arrivedMs) {
      const word = outcome.ok
        ? "replayed" in outcome.value && outcome.value.replayed
          ? "replayed"
          : "ok"
        : outcome.refusal.code;
      cellOf(command, word).value += 1;
      duration.observe(Math.max(0, loopNowMs() - arrivedMs) / 1_000);
    },
    turnedAway() {
      full.value += 1;
    },
    taken(entries, nowMs) {
      batch.observe(entries.length);
      for (const { arrivedMs } of entries) wait.observe((nowMs - arrivedMs) / 1_000);
    },
    noted(note) {
      events.child(note).value += 1;
      if (note === "oversell-prevented") oversells.value += 1;
    },
  };
}
