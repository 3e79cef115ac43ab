import type { EventStatus } from "../../../../domain/event-record.ts";
import type { Limits } from "../../../../domain/event-state.ts";

/** A refusal as it was answered. `available` and `active` are compared if the answer has them. */
export type Refused = {
  type: "refused";
  code: string;
  available?: number | undefined;
  active?: number | undefined;
};
/** No answer, or OUTCOME_UNKNOWN: takes effect at any time after its start, or never. */
export type Unknown = { type: "unknown" };

/** A ticket in a list. `cancelled` is compared if it is known. */
export type ListedTicket = { id: string; cancelled?: boolean | undefined };

/** When an operation started and ended, on one clock. Ends and starts at one time have no order. */
type Interval = { user: string; started: number; ended: number };

/** One operation on one event and its answer. Retries of a key are operations of their own. */
export type Operation = Interval &
  (
    | {
        op: "buy";
        transaction: string;
        quantity: number;
        answer: { type: "sold"; tickets: readonly string[] } | Refused | Unknown;
      }
    | { op: "cancel"; ticket: string; answer: { type: "cancelled" } | Refused | Unknown }
    | { op: "list"; tickets: readonly ListedTicket[] }
    /**
     * Changes the number of places, and the status if it names one. Refused below the number of
     * active tickets.
     */
    | {
        op: "import";
        total: number;
        status?: EventStatus;
        answer: { type: "imported" } | Refused | Unknown;
      }
  );

export type TicketRow = { id: string; user: string; transaction: string; cancelled: boolean };

/** What the customers and the feed did to one event, and what is known about its rows. */
export type EventHistory = {
  event: string;
  /** Places at the beginning. */
  total: number;
  /** Status at the beginning. Undefined: scheduled. */
  status?: EventStatus | undefined;
  limits: Limits;
  operations: readonly Operation[];
  /** Start of the event on the operations' clock. Undefined: EVENT_OVER is not judged. */
  startsAtMs?: number | undefined;
  /** Difference allowed between the operations' clock and PostgreSQL's. */
  clockToleranceMs?: number;
  /** Tickets before the first operation. */
  initial?: readonly TicketRow[];
  /**
   * Rows after the last operation. They decide which unknown outcomes took effect. Without them
   * the search tries both.
   */
  settled?: {
    tickets: readonly TicketRow[];
    /** Compared with each other and the active tickets. */
    places?: { total: number; available: number };
  };
};

/** Describes an operation with its answer and its interval. */
export function describeOperation(operation: Operation): string {
  const { user, started, ended } = operation;
  const end = Number.isFinite(ended) ? ended.toFixed(1) : "never";
  return `${started.toFixed(1)}–${end} ms ${user}: ${request(operation)} → ${reply(operation)}`;
}

function request(operation: Operation): string {
  switch (operation.op) {
    case "buy":
      return `buy ${operation.quantity} (${operation.transaction.slice(0, 40)})`;
    case "cancel":
      return `cancel ${operation.ticket}`;
    case "list":
      return "list";
    case "import":
      return `import of ${operation.total} places${operation.status ? `, ${operation.status}` : ""}`;
    default:
      return operation satisfies never;
  }
}

function reply(operation: Operation): string {
  if (operation.op === "list")
    return `[${operation.tickets.map(({ id, cancelled }) => `${id}${cancelled === true ? " cancelled" : ""}`).join(", ")}]`;
  const { answer } = operation;
  switch (answer.type) {
    case "refused": {
      const data = [answer.available, answer.active].filter((value) => value !== undefined);
      return data.length === 0 ? answer.code : `${answer.code} (${data.join(", ")})`;
    }
    case "sold":
      return `sold ${answer.tickets.join(", ")}`;
    default:
      return answer.type;
  }
}
