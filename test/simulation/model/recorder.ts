import type { EventStatus } from "../../../domain/event-record.ts";
import type { BuyTickets, CancelTicket } from "../../../domain/event-state.ts";
import type { Outcome } from "../../../services/purchasing/worker/ports.ts";
import { checkLinearizability } from "../../../tools/chaos/checks/linearizability.ts";
import type {
  EventHistory,
  Operation,
  TicketRow,
} from "../../../tools/chaos/checks/linearizability/history.ts";
import type { EventTables } from "./database/event-tables.ts";
import type { Rows } from "./database/rows.ts";
import { NO_ANSWER_MS } from "./network.ts";
import { CUSTOMER_LIMIT, type World } from "./world.ts";

/** Small enough that a thousand stamps stay within one unit of virtual time. */
const STAMP_MS = 1e-6;
/** Age of a planted stale list. */
const STALE_MS = 500;

type Asked = BuyTickets | CancelTicket;
type Open = { eventId: string; command: Asked; started: number };
type Journal = {
  total: number;
  status: EventStatus;
  /** Undefined once an import has changed it: the order of operations says nothing of times. */
  startsAtMs: number | undefined;
  initial: TicketRow[];
  operations: Operation[];
};

/**
 * Records what customers asked and heard, and judges it (I10). A restored backup starts a new
 * journal: what was sold after the backup is lost by right.
 */
export class Recorder {
  private readonly world: World;
  private readonly found: string[] = [];
  private readonly journals = new Map<string, Journal>();
  private readonly open = new Set<Open>();
  private stamps = 0;

  constructor(world: World) {
    this.world = world;
    for (const { eventId, rows } of world.database.events.values())
      this.journals.set(eventId, journalOf(rows));
    world.onImported = (eventId, { total, status, startsAtMs }, started) => {
      const journal = this.journals.get(eventId);
      if (journal !== undefined && startsAtMs !== journal.startsAtMs)
        journal.startsAtMs = undefined;
      this.add(eventId, {
        op: "import",
        user: "feed",
        started,
        ended: this.stamp(),
        total,
        status,
        answer: { type: "imported" },
      });
    };
  }

  /** Call before the command is sent. */
  asks(eventId: string, command: Asked): Open {
    const open = { eventId, command, started: this.stamp() };
    this.open.add(open);
    return open;
  }

  /** Call with the answer. A customer who was sold something or cancelled looks at the list. */
  hears(open: Open, outcome: Outcome): void {
    // A restore has made its outcome unknown.
    if (!this.open.delete(open)) return;
    const { eventId, command, started } = open;
    this.add(eventId, operationOf(command, started, this.stamp(), outcome));
    if (outcome.ok) this.list(eventId, command.userId);
  }

  /** Call before the backup replaces the rows. */
  restored(backup: ReadonlyMap<string, Rows>): void {
    this.judgeAll();
    const started = this.stamp();
    for (const [eventId, rows] of backup) {
      const journal = journalOf(rows);
      // A late copy of any command, also of an answered one, can take effect on the restored rows.
      for (const one of this.journals.get(eventId)?.operations ?? [])
        if (one.op === "buy" || one.op === "cancel")
          journal.operations.push({
            ...one,
            started,
            ended: Infinity,
            answer: { type: "unknown" },
          });
      this.journals.set(eventId, journal);
    }
  }

  /** Judges the last journals. Returns all violations of the history. */
  judge(): string[] {
    this.judgeAll();
    return this.found;
  }

  private judgeAll(): void {
    for (const { eventId, command, started } of this.open)
      this.add(eventId, operationOf(command, started, Infinity, undefined));
    this.open.clear();
    for (const event of this.world.database.events.values()) {
      const journal = this.journals.get(event.eventId);
      if (journal === undefined) continue;
      const verdict = checkLinearizability(historyOf(event, journal));
      if (verdict.type === "violated")
        this.found.push(...verdict.texts.map((text) => `I10: ${text}`));
      else if (verdict.type === "not-judged") this.found.push(`I10: ${verdict.text}`);
    }
  }

  private list(eventId: string, user: string): void {
    const { kernel, database, plant } = this.world;
    const newestMs = plant.staleLists === true ? kernel.nowMs - STALE_MS : Infinity;
    const tickets = [...database.event(eventId).rows.tickets.values()]
      .filter((row) => row.userId === user && row.purchasedAtMs <= newestMs)
      .map((row) => ({ id: row.id, cancelled: row.cancelledAtMs !== undefined }));
    const started = this.stamp();
    this.add(eventId, { op: "list", user, started, ended: this.stamp(), tickets });
  }

  private add(eventId: string, operation: Operation): void {
    this.journals.get(eventId)?.operations.push(operation);
  }

  /** Orders what happens at one instant of virtual time. */
  private stamp(): number {
    this.stamps += 1;
    return this.world.kernel.nowMs + this.stamps * STAMP_MS;
  }
}

function journalOf(rows: Rows): Journal {
  const { total, status, startsAtMs } = rows;
  return { total, status, startsAtMs, initial: ticketsOf(rows), operations: [] };
}

function ticketsOf({ tickets }: Rows): TicketRow[] {
  return [...tickets.values()].map(({ id, userId, transactionId, cancelledAtMs }) => {
    return { id, user: userId, transaction: transactionId, cancelled: cancelledAtMs !== undefined };
  });
}

function historyOf({ eventId, rows, unbooked }: EventTables, journal: Journal): EventHistory {
  return {
    event: eventId.slice(-1),
    // A worker's reading of PostgreSQL's clock is as old as the slowest answer. Checks compares
    // sales and EVENT_OVER with the clock itself.
    clockToleranceMs: NO_ANSWER_MS,
    limits: { ticketsPerCustomerMax: CUSTOMER_LIMIT },
    ...journal,
    settled: {
      tickets: ticketsOf(rows),
      places: { total: rows.total, available: rows.capacity + unbooked },
    },
  };
}

function operationOf(
  command: Asked,
  started: number,
  ended: number,
  outcome: Outcome | undefined,
): Operation {
  const placed = { user: command.userId, started, ended };
  const refusal = outcome?.ok === false ? outcome.refusal : undefined;
  const unknown = outcome === undefined || refusal?.code === "OUTCOME_UNKNOWN";
  const { available, active } = (refusal?.data ?? {}) as { available?: number; active?: number };
  const answer = unknown
    ? { type: "unknown" as const }
    : refusal === undefined
      ? undefined
      : { type: "refused" as const, code: refusal.code, available, active };
  if (command.type === "CancelTicket") {
    const { ticketId: ticket } = command;
    return { op: "cancel", ...placed, ticket, answer: answer ?? { type: "cancelled" } };
  }
  const { transactionId: transaction, quantity } = command;
  const sold = outcome?.ok === true && "tickets" in outcome.value ? outcome.value.tickets : [];
  const tickets = sold.map(({ id }) => id);
  return {
    op: "buy",
    ...placed,
    transaction,
    quantity,
    answer: answer ?? { type: "sold", tickets },
  };
}
