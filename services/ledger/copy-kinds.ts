import { readCopy } from "../../mixins/kept-copies.ts";

/** What is compared of a copy, or of the row that it copies, by name. */
export type Said = Record<string, string | number | boolean | null>;

export type CopyKind = {
  kind: "event-copy" | "ticket-copy" | "transaction-copy";
  prefix: string;
  /** One copy an event; else one each ticket or transaction. */
  perEvent: boolean;
  /** Groups: the event's id, the copy's own id. */
  key: RegExp;
  /** What a copy says, undefined where no reader trusts it. `generation` is the catalogue's. */
  read(text: string, present: { run: string; generation: string | null }): Said | undefined;
  /** Selects `id` and what PostgreSQL says, of the ids in $1. */
  truth: string;
  /** The sentence that says what differs; undefined where nothing does. */
  compare(said: Said, truth: Said | undefined, eventId: string): string | undefined;
};

const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** Names, cities and dates of tickets are the catalogue's: a ticket's copy may show them as they were at the sale. */
const TICKETS: CopyKind = {
  kind: "ticket-copy",
  prefix: "event_ticket:",
  perEvent: false,
  key: new RegExp(`^event_ticket:\\{(${ID})\\}:(${ID})$`),
  read(text, { run }) {
    const ticket = readCopy(text, run)?.ticket as Said | undefined;
    return ticket && pick(ticket, ["eventId", "transactionId", "status"]);
  },
  truth: `
    SELECT id, event_id AS "eventId", encode(transaction_id, 'hex') AS "transactionId",
      CASE WHEN cancelled_at IS NULL THEN 'active' ELSE 'cancelled' END AS status
    FROM event_tickets WHERE id = ANY ($1::uuid[])`,
  compare: (said, truth) => (truth === undefined ? "Redis has a ticket that PostgreSQL has not." : unlike("ticket", said, truth)),
};

/** A copy lives a minute and says "pending" until then, also where nobody deleted it after its booking: that is no difference. */
const TRANSACTIONS: CopyKind = {
  kind: "transaction-copy",
  prefix: "event_ticket_transaction:",
  perEvent: false,
  key: new RegExp(`^event_ticket_transaction:\\{(${ID})\\}:((?:[0-9a-f]{2}){1,64})$`),
  read(text, { run }) {
    const copy = readCopy(text, run) as (Said & { epoch: number; batch: number }) | undefined;
    return copy && pick(copy, ["eventId", "quantity", "status"]);
  },
  truth: `
    SELECT encode(transaction_id, 'hex') AS id, event_id AS "eventId", quantity, status FROM event_ticket_transactions
    WHERE transaction_id IN (SELECT decode(named, 'hex') FROM unnest($1::text[]) AS named)
    UNION ALL
    SELECT encode(transaction_id, 'hex'), event_id, quantity, 'completed' FROM capacity_ledger
    WHERE transaction_id IN (SELECT decode(named, 'hex') FROM unnest($1::text[]) AS named)`,
  compare(said, truth) {
    if (truth === undefined) return "Redis has a transaction that neither the ledger nor a row waiting for it knows.";
    return unlike("transaction", said, said.status === "pending" ? { ...truth, status: "pending" } : truth);
  },
};

/** The catalogue's: one of an earlier generation passes for nothing but a last resort while PostgreSQL is away. */
const EVENTS: CopyKind = {
  kind: "event-copy",
  prefix: "event:",
  perEvent: true,
  key: new RegExp(`^event:\\{(${ID})\\}$`),
  read(text, { run, generation }) {
    try {
      const copy = JSON.parse(text) as { run?: unknown; generation?: unknown; value?: Said } | null;
      return copy?.run === run && copy.generation === generation && copy.value
        ? pick(copy.value, ["id", "name", "location", "date", "startTime", "totalCapacity"])
        : undefined;
    } catch {
      return undefined;
    }
  },
  truth: `
    SELECT id, name, location, to_char(date, 'YYYY-MM-DD') AS date, to_char(start_time, 'HH24:MI') AS "startTime", total_capacity AS "totalCapacity"
    FROM event WHERE id = ANY ($1::uuid[])`,
  compare: (said, truth) => (truth === undefined ? "Redis has an event that PostgreSQL has not." : unlike("event", said, truth)),
};

export const COPY_KINDS: readonly CopyKind[] = [EVENTS, TICKETS, TRANSACTIONS];

function pick(from: Said, names: readonly string[]): Said {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
}

function unlike(what: string, said: Said, truth: Said): string | undefined {
  const wrong = Object.keys(said).filter((name) => said[name] !== truth[name]);
  if (wrong.length === 0) return undefined;
  const words = wrong.map((name) => `${name} ${JSON.stringify(said[name])}, PostgreSQL ${JSON.stringify(truth[name])}`);
  return `Redis says of the ${what}: ${words.join("; ")}.`;
}
