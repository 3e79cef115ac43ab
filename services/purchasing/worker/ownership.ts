import type { Clock } from "../../../lib/concurrency/clock.ts";
import { type EventState, newEventState } from "../../../domain/event-state.ts";
import type { Availability } from "../../../lib/availability/availability-cache.ts";
import type { BuyersRoom, LoadedEvent, ReadBuyers, WorkerPorts } from "./ports.ts";

/**
 * PostgreSQL's clock, carried on monotonically between two answers, so that no decision depends on
 * this machine's clock.
 */
export class PostgresClock {
  private readonly clock: Clock;
  /** Before the first answer it is earlier than any time, whatever our own clock shows. */
  private base = { postgresMs: -Infinity, ownMs: 0 };

  constructor(clock: Clock) {
    this.clock = clock;
  }

  nowMs(): number {
    return this.base.postgresMs + (this.clock.nowMs() - this.base.ownMs);
  }

  /**
   * Adjusts the clock by an answer. PostgreSQL reported `postgresMs` in the answer to a query that
   * was sent at `askedAtMs` of our clock. Its clock now shows at least that, and at most the whole
   * round trip more. Our value stays if it lies between, so neither a slow answer nor a clock that
   * was set back causes an error.
   */
  sync(postgresMs: number, askedAtMs: number): void {
    const ownMs = this.clock.nowMs();
    const most = postgresMs + (ownMs - askedAtMs);
    this.base = { postgresMs: Math.min(Math.max(postgresMs, this.nowMs()), most), ownMs };
  }
}

/**
 * What is true only while the epoch is ours. Dropped whole when the epoch has passed or a commit's
 * outcome is unknown.
 */
export type Ownership = {
  epoch: number;
  batch: number;
  event: LoadedEvent;
  state: EventState;
  buyers: Buyers;
  /** Taken for commands that were sent here though another owns the event. */
  standIn: boolean;
};

const LOSS_PAUSE_LEAST_MS = 50;
const LOSS_PAUSE_SPREAD_MS = 150;
const SECOND_LOSS_MS = 1_000;

/** Remembers the last lost epoch, so that two nodes do not take it from each other for ever. */
export class OwnershipLosses {
  private readonly ports: Pick<WorkerPorts, "clock" | "random">;
  private lastMs = -Infinity;

  constructor(ports: Pick<WorkerPorts, "clock" | "random">) {
    this.ports = ports;
  }

  /** Whether an epoch was lost within the last second. */
  get isRecent(): boolean {
    return this.ports.clock.nowMs() - this.lastMs < SECOND_LOSS_MS;
  }

  add(): void {
    this.lastMs = this.ports.clock.nowMs();
  }

  /** A random time before the next epoch is taken, in milliseconds. */
  pauseMs(): number {
    return LOSS_PAUSE_LEAST_MS + this.ports.random() * LOSS_PAUSE_SPREAD_MS;
  }
}

/**
 * Takes the event's epoch, then loads the event in a new statement. Undefined if there is no such
 * event. Rejects if PostgreSQL does not answer.
 */
export async function takeEpoch(
  eventId: string,
  ports: WorkerPorts,
  postgresClock: PostgresClock,
): Promise<Ownership | undefined> {
  const { store, clock, router } = ports;
  const epoch = await store.takeEpoch(eventId);
  if (epoch === undefined) return undefined;
  const buyers = new Buyers(ports.buyersRoom);
  const askedAtMs = clock.nowMs();
  // The first buyers are read beside the event. Of most events these are all.
  const [event] = await Promise.all([
    store.loadEvent(eventId),
    buyers.fill(eventId, store.readBuyers),
  ]).catch((error: unknown) => {
    buyers.close();
    throw error;
  });
  postgresClock.sync(event.clockMs, askedAtMs);
  const state = newEventState(event.startsAtMs, event.available, event.status);
  ports.note("epoch-taken", eventId, { epoch });
  return { epoch, batch: 0, event, state, buyers, standIn: !router.isOwner(eventId) };
}

/** Returns what the event has left, under the version (epoch, batch) of its last batch. */
export function availabilityOf(eventId: string, ownership: Ownership): Availability {
  const { epoch, batch, event, state } = ownership;
  return { eventId, epoch, batch, available: state.available, endsAtMs: event.endsAtMs };
}

/** Customers in the first part of a reading, which others share, and in each later one. */
const FIRST_PART = 200;
const PART = 2_000;
/** Customers that all workers of a node remember: some 50 MB. */
const NODE_MAX = 500_000;

/** Makes the room that the workers of a node share. */
export function createBuyersRoom(customersMax = NODE_MAX): BuyersRoom {
  let left = customersMax;
  return {
    take() {
      if (left === 0) return false;
      left -= 1;
      return true;
    },
    giveBack(customers) {
      left += customers;
    },
  };
}

/**
 * The customers who have bought tickets of an event under any epoch so far. One that is not among
 * them has bought nothing: no load is needed to decide their purchase, and no key of theirs is
 * sold.
 *
 * It is true only as long as the epoch is ours: only its holder sells. It is read after the epoch
 * was taken, of a large event in the background, and used once it is complete. If the node's room
 * is not enough it stays incomplete, and all purchases load.
 */
export class Buyers {
  private readonly room: BuyersRoom;
  private readonly ids = new Set<string>();
  private complete = false;
  private closed = false;

  constructor(room: BuyersRoom) {
    this.room = room;
  }

  /**
   * Reads the buyers of earlier epochs. Resolves after the first part; the others follow in the
   * background. Ends early, incomplete, if PostgreSQL does not answer.
   */
  async fill(eventId: string, read: ReadBuyers): Promise<void> {
    const last = await this.readPart(eventId, "", read, FIRST_PART);
    if (last !== undefined) void this.readRest(eventId, last, read);
  }

  private async readRest(eventId: string, after: string, read: ReadBuyers): Promise<void> {
    let last: string | undefined = after;
    while (last !== undefined && !this.closed) last = await this.readPart(eventId, last, read);
  }

  /** Returns the last customer of a full part. Undefined: it was the last part, or it failed. */
  private async readPart(
    eventId: string,
    after: string,
    read: ReadBuyers,
    size = PART,
  ): Promise<string | undefined> {
    try {
      const part = await read(eventId, after, size);
      for (const userId of part) if (!this.add(userId)) return undefined;
      if (part.length === size) return part.at(-1);
      this.complete = !this.closed;
    } catch {
      // Without it purchases load what they need.
    }
    return undefined;
  }

  /** Adds a customer who is about to buy. Returns false if there is no room. */
  add(userId: string): boolean {
    if (this.closed || this.ids.has(userId)) return !this.closed;
    if (!this.room.take()) {
      this.close();
      return false;
    }
    this.ids.add(userId);
    return true;
  }

  /** Whether it is certain that this customer has bought nothing. */
  excludes(userId: string): boolean {
    return this.complete && !this.ids.has(userId);
  }

  /** Forgets all, when the epoch may have passed. */
  close(): void {
    this.closed = true;
    this.complete = false;
    this.room.giveBack(this.ids.size);
    this.ids.clear();
  }
}
