import type { BuyTickets, CancelTicket } from "../../../domain/event-state.ts";
import { GATEWAYS } from "./bus.ts";
import type { Checks } from "./checks.ts";
import type { Recorder } from "./recorder.ts";
import type { Demand } from "./steps.ts";
import type { World } from "./world.ts";

/** Customers with even numbers retry twice, the others never. */
const triesOf = (who: number): number => (who % 2 === 0 ? 3 : 1);
const PAUSE_MS = 300;

/**
 * Simulates customers. Each calls a random gateway and retries unclear answers with the same key.
 */
export class Customers {
  /** Calls that have no final answer yet. */
  busy = 0;
  private readonly world: World;
  private readonly checks: Checks;
  private readonly recorder: Recorder;
  private readonly owned = new Map<string, { eventId: string; ticketId: string }[]>();

  constructor(world: World, checks: Checks, recorder: Recorder) {
    this.world = world;
    this.checks = checks;
    this.recorder = recorder;
  }

  async ask(demand: Demand): Promise<void> {
    this.busy += 1;
    const userId = `customer-${demand.customer}`;
    const once = (): Promise<unknown> => {
      if (demand.type === "buy")
        return this.buy(
          this.world.eventId(demand.event),
          userId,
          String(demand.key),
          demand.quantity,
          triesOf(demand.customer),
        );
      const owned = this.owned.get(userId) ?? [];
      const ticket = owned[demand.nth % Math.max(1, owned.length)];
      return ticket === undefined
        ? Promise.resolve()
        : this.cancel(ticket.eventId, userId, ticket.ticketId, triesOf(demand.customer));
    };
    await Promise.all(demand.twice ? [once(), once()] : [once()]);
    this.busy -= 1;
  }

  /** Buys, and returns the number of tickets bought. */
  async buy(
    eventId: string,
    userId: string,
    key: string,
    quantity: number,
    tries: number,
  ): Promise<number> {
    const { world, checks } = this;
    const event = world.database.event(eventId);
    const transactionId = `buy-${eventId.slice(-1)}-${userId}-${key}`;
    const command: BuyTickets = { type: "BuyTickets", transactionId, userId, quantity };
    const startedMs = world.kernel.nowMs;
    const soldBefore = event.ticketsOf(transactionId).length > 0;
    const asked = this.recorder.asks(eventId, command);
    const outcome = await world.bus.command(this.gateway(), eventId, command);
    this.recorder.hears(asked, outcome);
    checks.purchase(event, command, startedMs, soldBefore, outcome);
    if (outcome.ok) {
      const tickets = "tickets" in outcome.value ? outcome.value.tickets : [];
      const owned = this.owned.get(userId) ?? [];
      this.owned.set(userId, owned);
      for (const { id } of tickets)
        if (!owned.some(({ ticketId }) => ticketId === id)) owned.push({ eventId, ticketId: id });
      return tickets.length;
    }
    if (!isWorthTrying(outcome.refusal.code) || tries <= 1) return 0;
    await this.pause();
    return this.buy(eventId, userId, key, quantity, tries - 1);
  }

  private async cancel(
    eventId: string,
    userId: string,
    ticketId: string,
    tries: number,
  ): Promise<void> {
    const { world, checks } = this;
    const command: CancelTicket = {
      type: "CancelTicket",
      transactionId: `cancel-${ticketId}`,
      userId,
      ticketId,
    };
    const startedMs = world.kernel.nowMs;
    const asked = this.recorder.asks(eventId, command);
    const outcome = await world.bus.command(this.gateway(), eventId, command);
    this.recorder.hears(asked, outcome);
    checks.cancellation(world.database.event(eventId), command, startedMs, outcome);
    if (outcome.ok || !isWorthTrying(outcome.refusal.code) || tries <= 1) return;
    await this.pause();
    return this.cancel(eventId, userId, ticketId, tries - 1);
  }

  private gateway(): string {
    return GATEWAYS[this.world.kernel.between(0, GATEWAYS.length - 1)] ?? GATEWAYS[0];
  }
  private pause(): Promise<void> {
    return new Promise((resolve) => this.world.kernel.after(PAUSE_MS, "customers", resolve));
  }
}

function isWorthTrying(code: string): boolean {
  return code === "TRY_AGAIN" || code === "OUTCOME_UNKNOWN";
}
