import type { EventModel } from "./event-model.ts";
import { soldOutQuantity, type Effect, type Placement } from "./placements.ts";

/**
 * What the open operations wait for. An effect that nothing waits for is never placed early: it
 * would only take the place of an equal order that the search tries anyway.
 */
type Wanted = {
  fewerPlaces: boolean;
  morePlaces: boolean;
  customers: Set<string>;
  /** An open import can make any effect impossible that comes later. */
  anything: boolean;
};

/** Finds the effects that are worth placing before the operation that is due. */
export class Helpers {
  private readonly model: EventModel;
  private readonly items: readonly Placement[];
  /** Number of operations of each customer. */
  private readonly counts = new Map<string, number>();

  constructor(model: EventModel, items: readonly Placement[]) {
    this.model = model;
    this.items = items;
    for (const { user } of items) this.counts.set(user, (this.counts.get(user) ?? 0) + 1);
  }

  /** Those whose intervals end first come first: they must be placed soon anyway. */
  find(due: number, open: readonly number[]): number[] {
    const wanted = this.wantedBy(open);
    const helpers = open.filter((index) => {
      const item = this.items[index];
      return index !== due && item?.kind === "effect" && helps(item, wanted);
    });
    const endOf = (index: number): number => this.items[index]?.end ?? Infinity;
    helpers.sort((a, b) => endOf(a) - endOf(b));
    return this.withoutEquals(helpers);
  }

  private wantedBy(open: readonly number[]): Wanted {
    const { model } = this;
    const wanted: Wanted = {
      fewerPlaces: false,
      morePlaces: false,
      customers: new Set(),
      anything: false,
    };
    for (const index of open) {
      const item = this.items[index];
      if (item === undefined) continue;
      if (item.kind === "effect" && item.command.type === "Import") wanted.anything = true;
      if (item.kind === "observation") {
        wanted.customers.add(item.user);
        const { reads } = item;
        if (reads.type === "list") continue;
        if (reads.command.type === "Import") wanted.fewerPlaces = true;
        if (soldOutQuantity(item) === 0) continue;
        const { available } = reads.refused;
        if (available === undefined || model.state.available > available) wanted.fewerPlaces = true;
        else wanted.morePlaces = true;
      } else if (model.apply(item)) model.undo(item);
      else {
        wanted.customers.add(item.user);
        if (item.command.type !== "CancelTicket") wanted.morePlaces = true;
      }
    }
    return wanted;
  }

  /**
   * Of equal purchases, keeps the one that ends first. They are equal if their customers do
   * nothing else: then any order stays right when they change places. Those that may have done
   * nothing end last.
   */
  private withoutEquals(helpers: readonly number[]): number[] {
    const quantities = new Set<number>();
    return helpers.filter((index) => {
      const item = this.items[index];
      if (item?.kind !== "effect" || item.command.type !== "BuyTickets") return true;
      if (this.counts.get(item.user) !== 1) return true;
      const { quantity } = item.command;
      if (quantities.has(quantity)) return false;
      quantities.add(quantity);
      return true;
    });
  }
}

function helps({ command, user }: Effect, wanted: Wanted): boolean {
  if (wanted.anything || wanted.customers.has(user)) return true;
  return command.type === "BuyTickets" ? wanted.fewerPlaces : wanted.morePlaces;
}
