import type { BuyTickets, CancelTicket } from "../../../domain/event-state.ts";
import type { Outcome } from "../../../services/purchasing/ports.ts";
import { CUSTOMER_LIMIT, type Plant, World } from "./world.ts";

const CUSTOMERS = 6;
const OPERATIONS = 10;
const FAULTS_UNTIL_MS = 9_000;
const QUIET_AT_MS = 30_000;
/** Beyond every promise of the worker: mailbox 0.5 s, doubt 2 s, forward 1.8 s, and the longest delay. */
const CALL_TIMEOUT_MS = 12_000;

type Sold = { kind: "ok"; ticketIds: string } | { kind: "refused" } | { kind: "unknown" };
type Moment = { atMs: number; available: number; activeByUser: Map<string, number> };

/** Plays one seeded history against the workers and returns what was wrong with it; an empty list is a sound history. */
export async function playHistory(seed: number, plant: Plant = {}): Promise<string[]> {
  const wrong: string[] = [];
  const fail = (what: string): void => {
    if (wrong.length < 5) wrong.push(`seed ${seed}, ${Math.round(world.kernel.nowMs)} ms: ${what}`);
  };
  const world = new World(seed, 3 + (seed % 12), plant);
  const { kernel, database } = world;
  const answers = new Map<string, Sold[]>();
  const moments: Moment[] = [];
  /** Before this instant an answer says nothing about the rows: they are those of a backup. */
  let restoredAtMs = -1;
  let restorable: ReturnType<typeof database.backup> | undefined;

  const record = (): Moment => {
    const { active } = database;
    const activeByUser = new Map<string, number>();
    for (const { userId } of active) activeByUser.set(userId, (activeByUser.get(userId) ?? 0) + 1);
    const moment = { atMs: kernel.nowMs, available: database.rows.total - active.length, activeByUser };
    moments.push(moment);
    return moment;
  };
  database.onSold = record;
  database.onChange = () => {
    const { active, rows } = database;
    const { total } = rows;
    const { activeByUser } = record();
    if (active.length > total) fail(`I1: ${active.length} active tickets of ${total} places`);
    for (const [userId, count] of activeByUser) if (count > CUSTOMER_LIMIT) fail(`${userId} holds ${count} tickets`);
    if (rows.capacity + database.unbooked !== total - active.length)
      fail(`I4: capacity ${rows.capacity} + unbooked ${database.unbooked} is not ${total - active.length}`);
  };
  database.onChange();

  /** What was true at some instant while the call lasted. */
  const during = (fromMs: number, holds: (moment: Moment) => boolean): boolean =>
    moments.some((moment, index) => (moments[index + 1]?.atMs ?? Infinity) >= fromMs && holds(moment));

  const check = (command: BuyTickets, startedMs: number, soldBefore: boolean, outcome: Outcome | undefined): void => {
    const known = answers.get(command.transactionId) ?? [];
    answers.set(command.transactionId, known);
    if (outcome === undefined) return void known.push({ kind: "unknown" });
    if (!outcome.ok) {
      const { code } = outcome.refusal;
      if (code === "OUTCOME_UNKNOWN") return void known.push({ kind: "unknown" });
      known.push({ kind: "refused" });
      const { userId, quantity } = command;
      if (startedMs <= restoredAtMs) return;
      // An owner that is not reached says TRY_AGAIN, whatever the key: no other word is true of a sale.
      if (soldBefore && code !== "TRY_AGAIN") fail(`I2: a retry of a sale was answered ${code}`);
      if (code === "EVENT_SOLD_OUT" && !during(startedMs, ({ available }) => available < quantity))
        fail(`sold out was said while ${quantity} places were free`);
      if (
        code === "PURCHASE_LIMIT_REACHED" &&
        !during(startedMs, ({ activeByUser }) => (activeByUser.get(userId) ?? 0) + quantity > CUSTOMER_LIMIT)
      )
        fail(`${userId} was refused by a limit not reached`);
      if (code === "EVENT_NOT_FOUND" || code === "TICKET_NOT_FOUND") fail(`a purchase was answered ${code}`);
      return;
    }
    if (!("tickets" in outcome.value)) return fail("a purchase was answered with a ticket");
    const ticketIds = outcome.value.tickets.map(({ id }) => id).join();
    const inDatabase = database.ticketsOf(command.transactionId);
    if (startedMs <= restoredAtMs) known.push({ kind: "unknown" });
    else {
      if (inDatabase.length !== command.quantity)
        fail(`I2: an acknowledged sale of ${command.quantity} is there ${inDatabase.length} times`);
      const other = known.find((answer) => answer.kind === "ok" && answer.ticketIds !== ticketIds);
      if (other !== undefined) fail("I2: one key, two answers");
      known.push({ kind: "ok", ticketIds });
    }
  };

  const gateway = (): (typeof world.nodes)[number] => world.nodes[kernel.between(0, world.nodes.length - 1)] ?? world.addNode();
  const buy = async (userId: string, key: string, quantity: number, tries: number): Promise<string[]> => {
    const command: BuyTickets = { type: "BuyTickets", transactionId: `buy-${userId}-${key}`, userId, quantity };
    const startedMs = kernel.nowMs;
    const soldBefore = database.ticketsOf(command.transactionId).length > 0;
    const outcome = await world.call(gateway(), command, false, "clients", CALL_TIMEOUT_MS);
    check(command, startedMs, soldBefore, outcome);
    if (outcome?.ok === true) return "tickets" in outcome.value ? outcome.value.tickets.map(({ id }) => id) : [];
    const again = outcome === undefined || outcome.refusal.code === "OUTCOME_UNKNOWN" || outcome.refusal.code === "TRY_AGAIN";
    return again && tries > 1 ? buy(userId, key, quantity, tries - 1) : [];
  };
  const cancel = async (userId: string, ticketId: string): Promise<void> => {
    const command: CancelTicket = { type: "CancelTicket", transactionId: `cancel-${ticketId}`, userId, ticketId };
    const startedMs = kernel.nowMs;
    const outcome = await world.call(gateway(), command, false, "clients", CALL_TIMEOUT_MS);
    if (outcome === undefined || startedMs <= restoredAtMs) return;
    const row = database.rows.tickets.get(ticketId);
    if (outcome.ok && row?.cancelledAtMs === undefined) fail("I3: an acknowledged cancellation is not there");
    if (!outcome.ok && outcome.refusal.code === "EVENT_OVER" && kernel.nowMs < database.startsAtMs) fail("over was said before the start");
    if (!outcome.ok && outcome.refusal.code === "TICKET_NOT_FOUND" && row !== undefined) fail("a ticket that exists was not found");
  };

  const customer = async (userId: string): Promise<void> => {
    for (let operation = 0; operation < OPERATIONS; operation++) {
      await new Promise<void>((resolve) => kernel.after(kernel.between(0, 900), "clients", resolve));
      const key = String(operation);
      const quantity = kernel.between(1, 3);
      // The same key may arrive twice at once, by two gateways.
      const twice = kernel.chance(0.3) ? buy(userId, key, quantity, 2) : Promise.resolve([]);
      const [ticketIds] = await Promise.all([buy(userId, key, quantity, 3), twice]);
      for (const ticketId of ticketIds)
        if (kernel.chance(0.5)) await Promise.all([cancel(userId, ticketId), ...(kernel.chance(0.3) ? [cancel(userId, ticketId)] : [])]);
      if (ticketIds.length > 0 && kernel.chance(0.2)) await buy(userId, key, quantity, 2);
    }
  };

  const trouble = (): void => {
    const node = gateway();
    const kind = kernel.between(0, 7);
    if (kind === 0) kernel.freeze(node.id, kernel.between(500, 5_000));
    else if (kind === 1) world.killNode(node);
    else if (kind === 2) world.spreadViews(false);
    else if (kind === 3) world.spreadViews(true);
    else if (kind === 4) world.forgetLease();
    else if (kind === 5) world.changeTotal();
    else if (kind === 6) restorable = database.backup();
    else if (restorable !== undefined && kernel.chance(0.5)) {
      restoredAtMs = kernel.nowMs;
      for (const known of answers.values()) known.splice(0, Infinity, { kind: "unknown" });
      database.restore(restorable);
    }
    if (kernel.nowMs < FAULTS_UNTIL_MS) kernel.after(kernel.between(50, 1_500), "fate", trouble);
  };

  kernel.after(kernel.between(0, 1_000), "fate", trouble);
  let finished = 0;
  for (let index = 0; index < CUSTOMERS; index++) void customer(`customer-${index}`).then(() => (finished += 1));
  await kernel.run(FAULTS_UNTIL_MS);
  world.faulty = false;
  world.spreadViews(true);
  await kernel.run(FAULTS_UNTIL_MS + 200_000);
  if (finished < CUSTOMERS) fail(`${CUSTOMERS - finished} customers never got an end`);
  for (const [transactionId, known] of answers)
    if (known.every(({ kind }) => kind === "refused") && database.ticketsOf(transactionId).length > 0)
      fail(`I2: ${transactionId} was refused and is there`);
  if (database.rows.pending.size > 0) fail(`I7: ${database.rows.pending.size} rows were never booked`);

  // I6: selling out sells exactly the rest.
  if (kernel.nowMs < database.startsAtMs) {
    const free = database.rows.total - database.active.length;
    const late = Array.from({ length: free + 2 }, (_, index) => buy(`late-${index}`, "last", 1, 3));
    await kernel.run(kernel.nowMs + QUIET_AT_MS);
    const sold = (await Promise.all(late)).flat().length;
    if (sold !== free) fail(`I6: ${free} places were free, ${sold} were sold`);
  }
  return wrong;
}
