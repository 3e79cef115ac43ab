import { EVENT_STATUSES } from "../../../domain/event-record.ts";
import { decide, evolve } from "../../../domain/decide.ts";
import { type Command, newEventState } from "../../../domain/event-state.ts";
import type {
  EventHistory,
  Operation,
} from "../../../tools/chaos/checks/linearizability/history.ts";
import type { Random } from "../../../tools/testing/seeded-random.ts";

export type HistoryOptions = {
  operations: number;
  customers: number;
  total: number;
  /** Mean number of operations that are open at one time. */
  concurrency: number;
  random: Random;
  /** Share of answers that are lost. */
  lost?: number;
  /** Adds what the rows are at the end. */
  settled?: boolean;
  imports?: boolean;
  /** Answers name the places left and the active tickets. */
  exact?: boolean;
};

export const LIMITS = { ticketsPerCustomerMax: 4 };
const STARTS_AT_SHARE = 0.95;
type Answer<Op extends "buy" | "cancel" | "import"> = Extract<Operation, { op: Op }>["answer"];
type Row = { id: string; user: string; transaction: string; cancelled: boolean };

/**
 * Makes a history that is right by construction: every operation happens at one moment, in the
 * order of `domain/`, and its interval is drawn around that moment.
 */
export function randomHistory(options: HistoryOptions): EventHistory {
  const { random, operations: count, customers, concurrency, lost = 0.05 } = options;
  const between = (most: number): number => Math.floor(random() * most);
  const state = newEventState(count * STARTS_AT_SHARE, options.total);
  let { total } = options;
  const rows: Row[] = [];
  const rowsOf = new Map<string, Row[]>();
  const keys: { user: string; transaction: string; quantity: number }[] = [];
  const operations: Operation[] = [];
  const shown = new Set<string>();

  const decided = (command: Command, now: number) => {
    if (!state.activeTickets.has(command.userId)) state.activeTickets.set(command.userId, 0);
    const decision = decide(state, command, now, LIMITS);
    if (decision.type === "accept") evolve(state, decision.fact);
    return decision;
  };
  const refusal = (code: string, data: Record<string, unknown> = {}) => {
    const numbers = data as { available?: number; active?: number };
    const { available, active } = options.exact === true ? numbers : {};
    return { type: "refused" as const, code, available, active };
  };

  for (let now = 1; now <= count; now += 1) {
    const user = `customer-${between(customers)}`;
    const started = now - random() * concurrency;
    let ended = now + random() * concurrency;
    const isLost = random() < lost;
    if (isLost) ended = Infinity;
    const chance = random();
    const own = rowsOf.get(user) ?? [];
    // Without rows at the end, a ticket is known only by an answer.
    const known =
      options.settled === true ? rows : rows.filter(({ transaction }) => shown.has(transaction));
    if (chance < 0.55) {
      const ownKeys = keys.filter((key) => key.user === user);
      const earlier = random() < 0.2 ? ownKeys[between(ownKeys.length)] : undefined;
      const quantity = earlier !== undefined && random() < 0.8 ? earlier.quantity : 1 + between(3);
      const transaction = earlier?.transaction ?? `t${now}`;
      keys.push({ user, transaction, quantity });
      const command = {
        type: "BuyTickets" as const,
        transactionId: transaction,
        userId: user,
        quantity,
      };
      let answer: Answer<"buy">;
      if (random() < 0.05) answer = refusal("TRY_AGAIN");
      else if (isLost && random() < 0.5) answer = { type: "unknown" };
      else {
        const decision = decided(command, now);
        if (decision.type === "accept")
          for (let place = 1; place <= quantity; place += 1) {
            const id = `${transaction}.${place}`;
            const row = { id, user, transaction, cancelled: false };
            rows.push(row);
            rowsOf.set(user, [...(rowsOf.get(user) ?? []), row]);
            state.tickets.set(id, { userId: user, cancelled: false });
          }
        const tickets = (rowsOf.get(user) ?? [])
          .filter((row) => row.transaction === transaction)
          .map(({ id }) => id);
        if (isLost) answer = { type: "unknown" };
        else if (decision.type === "refuse")
          answer = refusal(decision.refusal.code, decision.refusal.data);
        else {
          answer = { type: "sold", tickets };
          shown.add(transaction);
        }
      }
      operations.push({ op: "buy", user, started, ended, transaction, quantity, answer });
    } else if (chance < 0.75 && rows.length > 0) {
      const foreign = random() < 0.1;
      const choice = foreign
        ? known
        : own.filter((row) => options.settled === true || shown.has(row.transaction));
      const row = choice[between(choice.length)];
      const ticket = row?.id ?? "none";
      const command = {
        type: "CancelTicket" as const,
        transactionId: ticket,
        userId: user,
        ticketId: ticket,
      };
      if (row === undefined) state.tickets.set(ticket, "absent");
      const decision = decided(command, now);
      const cancelled = state.tickets.get(ticket);
      if (row !== undefined && cancelled !== "absent" && cancelled !== undefined)
        row.cancelled = cancelled.cancelled;
      const answer: Answer<"cancel"> = isLost
        ? { type: "unknown" }
        : decision.type === "refuse"
          ? refusal(decision.refusal.code, decision.refusal.data)
          : { type: "cancelled" };
      operations.push({ op: "cancel", user, started, ended, ticket, answer });
    } else if (chance < 0.8 && options.imports === true) {
      const active = total - state.available;
      const wanted = Math.max(0, total + between(7) - 3);
      const accepted = wanted >= active;
      // Also draws "undefined": an import that says nothing of the status.
      const status = EVENT_STATUSES[between(EVENT_STATUSES.length + 1)];
      if (accepted) {
        [total, state.available] = [wanted, wanted - active];
        state.status = status ?? state.status;
      }
      const answer: Answer<"import"> = isLost
        ? { type: "unknown" }
        : accepted
          ? { type: "imported" }
          : refusal("TOTAL_BELOW_SOLD");
      const change = { total: wanted, ...(status !== undefined && { status }) };
      operations.push({ op: "import", user: "feed", started, ended, ...change, answer });
    } else if (
      !isLost &&
      own.every((row) => options.settled === true || shown.has(row.transaction))
    )
      operations.push({
        op: "list",
        user,
        started,
        ended,
        tickets: own.map(({ id, cancelled }) => ({ id, cancelled })),
      });
  }
  const places = { total, available: state.available };
  return {
    event: "concert",
    total: options.total,
    limits: LIMITS,
    startsAtMs: count * STARTS_AT_SHARE,
    operations,
    ...(options.settled === true && {
      settled: { tickets: rows.map((row) => ({ ...row })), places },
    }),
  };
}
