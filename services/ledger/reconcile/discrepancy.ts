export type DifferenceKind =
  | "available"
  | "capacity"
  | "ledger"
  | "oversold"
  | "failed-rows"
  | "transaction"
  | "ordinals"
  | "cancellation"
  | StrayKind
  | CopyKind;
export type StrayKind =
  "booked-twice" | "completed-rows" | "empty-rows" | "epoch" | "ticket-date" | "unknown-event";
type CopyKind = "available-copy" | "event-copy";

export type Discrepancy = {
  kind: DifferenceKind;
  eventId: string;
  /** Only where one transaction is meant; hex. */
  transactionId?: string;
  /** Only where one customer's tickets are meant. */
  userId?: string;
  expected: number;
  found: number;
  mended: boolean;
  /** Describes what was compared, and what an operator can do. */
  sentence: string;
};

/**
 * An event's numbers, each counted from its own table. `unbooked`: sum of the rows not booked yet,
 * pending or failed.
 */
export type EventNumbers = {
  eventId: string;
  total: number;
  capacity: number;
  active: number;
  unbooked: number;
  failed: number;
  booked: number;
  /** What the ownership row has left to sell. Null if the event was never sold by this release. */
  available: number | null;
  epoch: number | null;
  batch: number | null;
};

/**
 * A result row of the statements that compare per transaction or customer, or count rows that must
 * not exist.
 */
export type FoundRow = {
  kind: "transaction" | "ordinals" | "cancellation" | StrayKind;
  eventId: string;
  transactionId?: string | null;
  userId?: string | null;
  expected: number;
  found: number;
};

const IMPORT = "Importing the event again with its total sets the capacity from the tickets.";
const BY_HAND = "Find out who changed it by hand, or restore it from a backup.";

/** Compares the sums of one event. */
export function differencesOf(numbers: EventNumbers): Discrepancy[] {
  const { eventId, total, capacity, active, available, unbooked, failed, booked } = numbers;
  const differences: Discrepancy[] = [];
  const note = (kind: DifferenceKind, expected: number, found: number, sentence: string): void => {
    if (expected !== found)
      differences.push({ kind, eventId, expected, found, mended: false, sentence });
  };
  note(
    "available",
    total - active,
    available ?? total - active,
    `${total} places less ${active} active tickets leave ${total - active}; the ownership row ` +
      `(event_worker.available) sells ${available ?? 0}. ${IMPORT}`,
  );
  note(
    "capacity",
    total - active,
    capacity + unbooked,
    `${total} places less ${active} active tickets leave ${total - active}; capacity ` +
      `${capacity} and ${unbooked} not yet booked make ${capacity + unbooked}. ${IMPORT}`,
  );
  note(
    "ledger",
    -active,
    booked + unbooked,
    `${active} tickets are active, so purchases less cancellations must sum to ` +
      `${-active}; the ledger's ${booked} and ${unbooked} not yet booked make ` +
      `${booked + unbooked}. The transactions named beside this say which rows or tickets ` +
      "are missing or too many.",
  );
  note(
    "oversold",
    Math.min(active, total),
    active,
    `${active} tickets are active, for ${total} places: ${active - total} people too ` +
      "many. Raise the total by an import, or cancel tickets.",
  );
  note(
    "failed-rows",
    0,
    failed,
    `${failed} transactions could not be booked and are kept aside as failed; they still ` +
      "count in what is available. Mend what the other differences say, then call " +
      "ledger.retryFailed.",
  );
  return differences;
}

export function differenceOf({
  kind,
  eventId,
  transactionId,
  userId,
  expected,
  found,
}: FoundRow): Discrepancy {
  return {
    kind,
    eventId,
    ...(transactionId && { transactionId }),
    ...(userId && { userId }),
    expected,
    found,
    mended: false,
    sentence: sentenceOf(kind, expected, found, userId ?? ""),
  };
}

function sentenceOf(
  kind: FoundRow["kind"],
  expected: number,
  found: number,
  userId: string,
): string {
  switch (kind) {
    case "transaction":
      return (
        `A purchase of ${expected} tickets by customer ${userId} is accounted for; ${found} ` +
        `tickets of theirs exist. ${BY_HAND}`
      );
    case "ordinals":
      return (
        `A purchase of ${expected} tickets has ${found}, but they are not numbered 1 to ` +
        `${expected}: a ticket was put in place of another. ${BY_HAND}`
      );
    case "cancellation":
      return (
        `Customer ${userId} has ${expected} cancelled tickets of this event; cancellations ` +
        `of ${found} are accounted for. A ticket was marked, or a row written or lost, ` +
        `without the other. ${BY_HAND}`
      );
    case "booked-twice":
      return (
        "This transaction is in the ledger and also waits to be booked, so it counts twice. " +
        "Delete the waiting row, if the tickets bear out the ledger."
      );
    case "completed-rows":
      return (
        `${found} waiting rows say "completed", a word that no part of the engine writes: ` +
        "workers count them as not booked, the ledger never books them. Set them to pending, " +
        "or delete those that the ledger has."
      );
    case "empty-rows":
      return (
        `${found} rows of the ledger book 0 places, which no purchase or cancellation does. ` +
        BY_HAND
      );
    case "epoch":
      return (
        `${found} waiting rows carry an epoch and batch that the event's worker has not ` +
        "reached, or the event has no worker's row: event_worker was set back. The next " +
        `worker takes an epoch by the clock, so selling goes on; ${BY_HAND}`
      );
    case "ticket-date":
      return (
        `${found} tickets carry another date than their event. Importing the event with ` +
        "another date and back sets it."
      );
    case "unknown-event":
      return (
        `${found} tickets, ledger rows and waiting rows name an event that does not exist. ` +
        BY_HAND
      );
  }
}
