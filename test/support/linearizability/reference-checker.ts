import { decide, evolve } from "../../../domain/decide.ts";
import { type Command, type EventState, newEventState } from "../../../domain/event-state.ts";
import type {
  EventHistory,
  Operation,
  TicketRow,
} from "../../../tools/chaos/checks/linearizability/history.ts";

type World = { state: EventState; total: number; rows: TicketRow[] };

/**
 * Tries every order of a short history, without any rule that saves work (Wing and Gong, 1993).
 * The checker must agree with it. `ids` names the tickets of each transaction.
 */
export function isLinearizable(
  history: EventHistory,
  ids: (transaction: string) => string[],
): boolean {
  const { operations, total, startsAtMs = Infinity } = history;
  const start: World = { state: newEventState(startsAtMs, total, history.status), total, rows: [] };
  const explore = (left: readonly Operation[], world: World): boolean => {
    if (left.every(({ ended }) => ended === Infinity) && isSettled(history, world)) return true;
    const firstEnd = left.reduce((first, { ended }) => Math.min(first, ended), Infinity);
    return left.some((operation) => {
      if (operation.started > firstEnd) return false;
      const rest = left.filter((other) => other !== operation);
      return outcomes(operation, world, history, ids).some((next) => explore(rest, next));
    });
  };
  return explore(
    operations.filter((one) => !isNothing(one)),
    start,
  );
}

function isNothing(operation: Operation): boolean {
  return (
    operation.op !== "list" &&
    operation.answer.type === "refused" &&
    operation.answer.code === "TRY_AGAIN"
  );
}

/** The states after an operation with its answer: none, or one. */
function outcomes(
  operation: Operation,
  world: World,
  { limits }: EventHistory,
  ids: (transaction: string) => string[],
): World[] {
  const next = structuredClone(world);
  const { state, rows } = next;
  const { user, started, ended } = operation;
  if (operation.op === "list") {
    const own = rows.filter((row) => row.user === user);
    const exact =
      own.length === operation.tickets.length &&
      own.every((row) =>
        operation.tickets.some(({ id, cancelled }) => id === row.id && cancelled === row.cancelled),
      );
    return exact ? [next] : [];
  }
  const { answer } = operation;
  if (operation.op === "import") {
    const active = next.total - state.available;
    const accepted = operation.total >= active;
    if (accepted) {
      next.total = operation.total;
      state.available = operation.total - active;
      state.status = operation.status ?? state.status;
    }
    const right = answer.type === "unknown" || (answer.type === "imported") === accepted;
    return right ? [next] : [];
  }
  const userId = user;
  const command: Command =
    operation.op === "buy"
      ? {
          type: "BuyTickets",
          transactionId: operation.transaction,
          userId,
          quantity: operation.quantity,
        }
      : {
          type: "CancelTicket",
          transactionId: operation.ticket,
          userId,
          ticketId: operation.ticket,
        };
  if (!state.activeTickets.has(userId)) state.activeTickets.set(userId, 0);
  if (operation.op === "cancel" && !state.tickets.has(operation.ticket))
    state.tickets.set(operation.ticket, "absent");
  const late = answer.type === "refused" && answer.code === "EVENT_OVER";
  const decision = decide(state, command, late ? ended : started, limits);
  if (decision.type === "accept") evolve(state, decision.fact);
  if (decision.type === "accept" && operation.op === "buy")
    for (const id of ids(operation.transaction).slice(0, operation.quantity)) {
      rows.push({ id, user, transaction: operation.transaction, cancelled: false });
      state.tickets.set(id, { userId, cancelled: false });
    }
  if (decision.type === "accept" && operation.op === "cancel")
    for (const row of rows) if (row.id === operation.ticket) row.cancelled = true;
  if (answer.type === "unknown") return [next];
  if (decision.type === "refuse") {
    if (answer.type !== "refused" || answer.code !== decision.refusal.code) return [];
    const { available, active } = decision.refusal.data ?? {};
    const same =
      (answer.available === undefined || answer.available === available) &&
      (answer.active === undefined || answer.active === active);
    return same ? [next] : [];
  }
  if (answer.type === "cancelled") return [next];
  if (answer.type !== "sold" || operation.op !== "buy") return [];
  const own = rows.filter((row) => row.transaction === operation.transaction).map(({ id }) => id);
  return own.join() === answer.tickets.join() ? [next] : [];
}

function isSettled({ settled }: EventHistory, { rows }: World): boolean {
  if (settled === undefined) return true;
  const text = (all: readonly TicketRow[]): string =>
    all
      .map(({ id, cancelled }) => `${id} ${cancelled}`)
      .sort()
      .join();
  return text(settled.tickets) === text(rows);
}
