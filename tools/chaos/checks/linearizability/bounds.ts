import { describeOperation, type EventHistory } from "./history.ts";
import {
  type Effect,
  type Placement,
  refusedStatus,
  soldOutQuantity,
  stopsSales,
} from "./placements.ts";

/**
 * Bounds of the free places over time, whatever the order. They judge most events without a
 * search: an event whose lower bound never falls below 0 and which never refused a purchase as
 * sold out binds no customer to another. Wrong answers outside the bounds get a clear message.
 */
export class Bounds {
  /** Moments at which a bound changes, ascending. Bound `i` holds from moment `i` on. */
  private readonly times: number[] = [];
  private readonly least: Ranges;
  private readonly most: Ranges;
  private readonly lowest: number;
  private readonly placements: readonly Placement[];
  private readonly stops: boolean;

  constructor(history: EventHistory, placements: readonly Placement[]) {
    this.placements = placements;
    this.stops = stopsSales(history, placements);
    const effects = placements.filter((one) => one.kind === "effect");
    const active = (history.initial ?? []).filter(({ cancelled }) => !cancelled).length;
    const totals = totalsOf(history.total, effects);
    const changes = changesOf(effects);
    const least: number[] = [];
    const most: number[] = [];
    let [low, high, next] = [-active, -active, 0];
    const moments = new Set([-Infinity, ...changes.map(({ at }) => at), ...totals.moments]);
    for (const at of [...moments].sort((a, b) => a - b)) {
      for (let change = changes[next]; change !== undefined && change.at <= at;) {
        low += change.low;
        high += change.high;
        change = changes[++next];
      }
      const total = totals.at(at);
      this.times.push(at);
      least.push(low + total.least);
      most.push(high + total.most);
    }
    this.least = new Ranges(least, Math.min);
    this.most = new Ranges(most, Math.max);
    this.lowest = least.reduce((lowest, one) => Math.min(lowest, one), Infinity);
  }

  /** False if customers cannot have met: then each customer can be judged alone. */
  get scarce(): boolean {
    return (
      this.lowest < 0 ||
      this.stops ||
      this.placements.some(
        (one) =>
          one.kind === "observation" &&
          (soldOutQuantity(one) > 0 ||
            refusedStatus(one) !== undefined ||
            (one.reads.type === "refusal" && one.reads.command.type === "Import")),
      )
    );
  }

  /** Answers that no order can explain. */
  contradictions(): string[] {
    const found: string[] = [];
    for (const one of this.placements) {
      const { start, end } = one;
      if (one.kind === "effect") {
        if (one.command.type !== "BuyTickets" || one.optional) continue;
        const most = this.within(this.most, start, end);
        if (most < one.command.quantity)
          found.push(
            `sold too much: at most ${most} places were free during ` + describeOperation(one.from),
          );
        continue;
      }
      const quantity = soldOutQuantity(one);
      if (quantity === 0) continue;
      const least = this.within(this.least, start, end);
      if (least >= quantity)
        found.push(
          `sold out too early: at least ${least} places were free during ` +
            describeOperation(one.from),
        );
    }
    return found;
  }

  private within(bound: Ranges, start: number, end: number): number {
    return bound.over(this.lastUpTo(start), this.lastUpTo(end));
  }

  private lastUpTo(at: number): number {
    let [low, high] = [0, this.times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/**
 * An effect may have happened from its start on, and has surely happened after its end. A change
 * at an end counts from just after it, because an operation at that very time may come before.
 */
function changesOf(effects: readonly Effect[]): { at: number; low: number; high: number }[] {
  const changes: { at: number; low: number; high: number }[] = [];
  for (const { command, start, end } of effects) {
    if (command.type === "Import") continue;
    const places = command.type === "BuyTickets" ? -command.quantity : 1;
    const surely = justAfter(end);
    changes.push(
      places < 0 ? { at: start, low: places, high: 0 } : { at: start, low: 0, high: places },
    );
    if (surely < Infinity)
      changes.push(
        places < 0 ? { at: surely, low: 0, high: places } : { at: surely, low: places, high: 0 },
      );
  }
  return changes.sort((a, b) => a.at - b.at);
}

/** The least and the most total that can be in force at a moment. */
function totalsOf(total: number, effects: readonly Effect[]) {
  const imports = effects.flatMap(({ command, start, end, optional }) =>
    command.type === "Import" ? [{ total: command.total, start, end, optional }] : [],
  );
  const moments = imports.flatMap(({ start, end }) =>
    end < Infinity ? [start, justAfter(end)] : [start],
  );
  const first = { total, start: -Infinity, end: -Infinity };
  return {
    moments,
    at(at: number): { least: number; most: number } {
      const begun = [first, ...imports.filter(({ start }) => start <= at)];
      const surely = imports.filter(({ end, optional }) => end < at && !optional);
      const inForce = begun
        .filter((one) => !surely.some(({ start }) => start > one.end))
        .map((one) => one.total);
      return { least: Math.min(...inForce), most: Math.max(...inForce) };
    },
  };
}

/** The next larger double, near enough: intervals have a resolution of microseconds. */
function justAfter(at: number): number {
  return at + Math.max(1e-9, Math.abs(at) * 2 ** -50);
}

/** Least or greatest value of any range, by a sparse table. */
class Ranges {
  private readonly levels: (readonly number[])[];
  private readonly pick: (a: number, b: number) => number;

  constructor(values: readonly number[], pick: (a: number, b: number) => number) {
    this.pick = pick;
    this.levels = [values];
    for (let width = 1; 2 * width <= values.length; width *= 2) {
      const below = this.levels.at(-1) ?? [];
      this.levels.push(
        Array.from({ length: values.length - 2 * width + 1 }, (_, index) =>
          pick(below[index] ?? 0, below[index + width] ?? 0),
        ),
      );
    }
  }

  /** Over the values from `first` to `last`, both included. */
  over(first: number, last: number): number {
    const level = Math.floor(Math.log2(last - first + 1));
    const values = this.levels[level] ?? [];
    return this.pick(values[first] ?? 0, values[last - 2 ** level + 1] ?? 0);
  }
}
