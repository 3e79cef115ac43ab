import { EVENT_STATUSES } from "../../../../domain/event-record.ts";
import { seededRandom } from "../../../testing/seeded-random.ts";
import { EventModel } from "./event-model.ts";
import { Helpers } from "./helpers.ts";
import type { EventHistory } from "./history.ts";
import { OpenLists } from "./open-list.ts";
import {
  type Effect,
  type Observation,
  type Placement,
  stopsSales,
  soldOutQuantity,
} from "./placements.ts";

export type SearchResult =
  | { type: "linearizable"; steps: number }
  /** No order places all operations that ended until `stuck` did. */
  | { type: "stuck"; stuck: Placement; available: number; steps: number }
  | { type: "gave-up"; steps: number };

/** A point of return: the search takes the next helper here when it fails later on. */
type Choice = {
  position: number;
  started: number;
  placed: number;
  /** Effects to try before the operation that is due. Found when the first try has failed. */
  helpers: number[] | undefined;
};

/** Lists of open items: one of refusals that any effect can make right, then one per customer. */
const SOLD_OUTS = 0;
const OF_CUSTOMERS = 1;

/**
 * Searches an order of one event's operations: depth first, with memory of the sets of placed
 * operations that lead nowhere (Wing and Gong, "Testing and verifying concurrent objects", 1993;
 * Lowe, "Testing for linearizability", 2017). Three rules keep it small.
 *
 * - Just in time (Lowe): an effect is placed when its interval ends, or earlier if an open
 *   operation is not right without it.
 * - An observation changes nothing, so it is placed as soon as it is right, and never taken back.
 * - When no operation is open, all orders so far have led to one state. The search never returns
 *   behind such a moment, and forgets what it remembers. So memory is bounded by the longest busy
 *   time, and by `stepsMax`.
 */
export class Search {
  private readonly model: EventModel;
  /** In order of start. */
  private readonly items: readonly Placement[];
  /** Items that must be placed, in order of end. */
  private readonly due: readonly number[];
  /** Items that are not placed: all, and the observations by what makes them right. */
  private readonly open: OpenLists;
  private readonly observations: OpenLists;
  private readonly customers = new Map<string, number>();
  private readonly helpers: Helpers;
  private readonly isPlaced: Uint8Array;
  private readonly keys: Int32Array;
  /** Placed items, in order. This is the linearization. */
  private readonly order: number[] = [];
  private readonly choices: Choice[] = [];
  private readonly seen = new Set<number>();
  private readonly mayCut: boolean;
  private readonly stops: boolean;
  private position = 0;
  private started = 0;
  private high = 0;
  private low = 0;
  private steps = 0;
  private furthest = -1;
  private available = 0;

  constructor(history: EventHistory, placements: readonly Placement[], scarce: boolean) {
    this.items = [...placements].sort((a, b) => a.start - b.start);
    this.model = new EventModel(history, this.items, scarce);
    this.due = this.items
      .map((_, index) => index)
      .filter((index) => !isOptional(this.items[index]))
      .sort((a, b) => this.item(a).end - this.item(b).end);
    for (const { user } of this.items)
      if (!this.customers.has(user)) this.customers.set(user, this.customers.size);
    this.stops = stopsSales(history, placements);
    this.open = new OpenLists(
      this.items.map(() => 0),
      1,
    );
    this.observations = new OpenLists(
      this.items.map((item) => this.listOf(item)),
      OF_CUSTOMERS + this.customers.size + 1,
    );
    this.helpers = new Helpers(this.model, this.items);
    this.isPlaced = new Uint8Array(this.items.length);
    this.keys = randomKeys(this.items.length * 2);
    this.mayCut = !importsOverlap(this.items);
  }

  run(stepsMax: number): SearchResult {
    for (;;) {
      this.advance();
      const due = this.due[this.position];
      if (due === undefined) return { type: "linearizable", steps: this.steps };
      if (this.position > this.furthest) {
        this.furthest = this.position;
        this.available = this.model.state.available;
      }
      if (this.place(due)) continue;
      if (this.steps > stepsMax) return { type: "gave-up", steps: this.steps };
      if (!this.retreat(stepsMax)) {
        if (this.steps > stepsMax) return { type: "gave-up", steps: this.steps };
        const stuck = this.item(this.due[this.furthest] ?? 0);
        return { type: "stuck", stuck, available: this.available, steps: this.steps };
      }
    }
  }

  /** Moves on to the first item that is due and not placed. Opens what has started by then. */
  private advance(): void {
    for (;;) {
      const due = this.due[this.position];
      if (due === undefined) return;
      const { end } = this.item(due);
      this.cutIfQuiet();
      for (; this.started < this.items.length; this.started += 1) {
        const item = this.item(this.started);
        if (item.start > end) break;
        if (item.kind === "observation" && this.model.holds(item)) this.record(this.started);
      }
      if (this.isPlaced[due] === 0) return;
      this.position += 1;
    }
  }

  /** Forgets all choices if the placed items are those that have started, and all have ended. */
  private cutIfQuiet(): void {
    const { length } = this.order;
    if (!this.mayCut || length !== this.started || length !== this.position) return;
    this.choices.length = 0;
    this.seen.clear();
  }

  /** Places the item that is due, and leaves a choice behind. */
  private place(due: number): boolean {
    const choice: Choice = {
      position: this.position,
      started: this.started,
      placed: this.order.length,
      helpers: undefined,
    };
    this.choices.push(choice);
    const item = this.item(due);
    return item.kind === "effect" && this.tryEffect(due, item);
  }

  /** Returns to the last choice that has a helper left. False if there is none. */
  private retreat(stepsMax: number): boolean {
    for (let choice = this.choices.at(-1); choice !== undefined; choice = this.choices.at(-1)) {
      this.undoTo(choice);
      const due = this.due[choice.position] ?? 0;
      choice.helpers ??= this.helpers.find(due, this.openItems(this.item(due).end)).reverse();
      for (let helper = choice.helpers.pop(); helper !== undefined; helper = choice.helpers.pop()) {
        if (this.steps > stepsMax) return false;
        const item = this.item(helper);
        if (item.kind === "effect" && this.tryEffect(helper, item)) return true;
      }
      this.choices.pop();
    }
    return false;
  }

  /** False if the state does not allow the effect, or if it leads where the search has been. */
  private tryEffect(index: number, effect: Effect): boolean {
    this.steps += 1;
    if (!this.model.apply(effect)) return false;
    const placed = this.order.length;
    this.record(index);
    this.observe(SOLD_OUTS);
    this.observe(OF_CUSTOMERS + (this.customers.get(effect.user) ?? 0));
    const state = this.hash();
    if (!this.seen.has(state)) {
      this.seen.add(state);
      return true;
    }
    this.undo(placed);
    return false;
  }

  /** Places the open observations of a list that are right now. */
  private observe(list: number): void {
    const { available } = this.model.state;
    const { observations } = this;
    for (let index = observations.first(list); index !== -1; index = observations.after(index)) {
      if (index >= this.started) return;
      const item = this.item(index) as Observation;
      const quantity = soldOutQuantity(item);
      if (quantity > 0 && quantity <= available && available !== Infinity) continue;
      if (this.model.holds(item)) this.record(index);
    }
  }

  private record(index: number): void {
    this.order.push(index);
    this.isPlaced[index] = 1;
    this.open.remove(index);
    this.observations.remove(index);
    this.toggle(index);
  }

  private undoTo({ placed, position, started }: Choice): void {
    this.undo(placed);
    this.position = position;
    this.started = started;
  }

  /** Takes back all but the first items of the order. */
  private undo(placed: number): void {
    while (this.order.length > placed) {
      const index = this.order.pop() ?? 0;
      const item = this.item(index);
      this.isPlaced[index] = 0;
      this.observations.restore(index);
      this.open.restore(index);
      this.toggle(index);
      if (item.kind === "effect") this.model.undo(item);
    }
  }

  /** Adds an item to the hash of the placed set, or takes it out (Zobrist hashing). */
  private toggle(index: number): void {
    this.high ^= this.keys[2 * index] ?? 0;
    this.low ^= this.keys[2 * index + 1] ?? 0;
  }
  /**
   * 53 bits of the placed set, the total and the status. The set determines the rest of the state.
   */
  private hash(): number {
    const { total, state } = this.model;
    const mark = total * 4 + EVENT_STATUSES.indexOf(state.status);
    const high = (this.high ^ Math.imul(mark, 0x9e3779b1)) >>> 11;
    return high * 4_294_967_296 + (this.low >>> 0);
  }

  private openItems(end: number): number[] {
    const items: number[] = [];
    for (let index = this.open.first(0); index !== -1; index = this.open.after(index)) {
      if (this.item(index).start > end) break;
      items.push(index);
    }
    return items;
  }

  /** The last list is never read: effects are tried when they are due or help. */
  private listOf(item: Placement): number {
    const customers = OF_CUSTOMERS + (this.customers.get(item.user) ?? 0);
    if (item.kind === "effect") return OF_CUSTOMERS + this.customers.size;
    const { reads } = item;
    // An import that changes the status can make any refusal of a purchase right.
    const byAnyEffect =
      soldOutQuantity(item) > 0 ||
      (reads.type === "refusal" &&
        (reads.command.type === "Import" || (this.stops && reads.command.type === "BuyTickets")));
    return byAnyEffect ? SOLD_OUTS : customers;
  }

  private item(index: number): Placement {
    const item = this.items[index];
    if (item === undefined) throw new Error(`There is no item ${index}`);
    return item;
  }
}

function isOptional(item: Placement | undefined): boolean {
  return item?.kind === "effect" && item.optional;
}

/** The order of overlapping imports decides the total: a quiet moment has more than one state. */
function importsOverlap(items: readonly Placement[]): boolean {
  let latest = -Infinity;
  return items.some((item) => {
    if (item.kind !== "effect" || item.command.type !== "Import") return false;
    const overlaps = item.start <= latest;
    latest = Math.max(latest, item.end);
    return overlaps;
  });
}

/** The same keys in every run, so that a verdict can be repeated. */
function randomKeys(count: number): Int32Array {
  const random = seededRandom(count);
  return Int32Array.from({ length: count }, () => Math.floor(random() * 4_294_967_296));
}
