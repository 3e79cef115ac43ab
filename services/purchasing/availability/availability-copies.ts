import type { ServiceBroker } from "moleculer";
import {
  isOlderVersion,
  AVAILABILITY_CHANGED,
  AVAILABILITY_PACE_MS,
  type AvailabilityUpdate,
  type Availability,
  availableKey,
  encodeAvailability,
  expiryOf,
  knownRun,
  setAvailability,
  setIfNewer,
  type Version,
  watermarkCopy,
  watermarkKey,
} from "../../../lib/availability/availability-cache.ts";
import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import { createBatcher } from "../../../lib/concurrency/batcher.ts";
import {
  ADD_SALES,
  addFields,
  LOST_KEY,
  type OwnedCopy,
  ticketKey,
} from "../../../lib/availability/ticket-copy.ts";
import { type RedisClient, runScripts, type ScriptCall } from "../../../lib/redis/client.ts";
import type { CancelledTicket, CommittedChanges, Copies, Ticket } from "../worker/ports.ts";
import { createThrottle } from "../../../lib/concurrency/throttle.ts";
import { createDoubtNotices, type DoubtNotices } from "./copies-doubted.ts";

type ClosableCopies = Copies & { close(): void };

/** No buyer waits longer than this for a copy. */
const PATIENCE_TIMEOUT_MS = 150;
/** Events in one write to Redis. */
const EVENTS_MAX = 250;
/** Less than readers doubt copies after one notice (`DOUBT_MS` of ticket-copies.ts). */
const DOUBT_EVERY_MS = 1_000;

/** Customers that may wait for a list. In a rush the rest gets one with the first look at it. */
const UNLISTED_MAX = 5_000;

/** What readers are told: a write may be lost, and these customers have no list. */
export type CopyNotices = DoubtNotices & { unlisted: Set<string> };

/** A write that Redis may not have taken. Without `available` it is that of a withdrawal. */
type LostWrite = Version & Pick<Availability, "eventId" | "endsAtMs"> & { available?: number };

/**
 * Writes the availability, the tickets and the transactions of each batch, so that readers need
 * not query PostgreSQL. A failed write costs readers time, never correctness: readers are told to
 * doubt all copies, and the repair raises the event's watermark, so that its older copies are no
 * longer trusted. See ADR-0070.
 */
export function createAvailabilityCacheWriter(
  redis: RedisClient,
  repairEveryMs = 1_000,
  clock: Clock = systemClock,
  notices: Partial<CopyNotices> = {},
): ClosableCopies {
  /** The newest of each event that Redis has not taken, and nothing else: an outage may be long. */
  const lostWrites = new Map<string, LostWrite>();
  let repair: { cancel(): void } | undefined;
  let closed = false;
  /** Writes that take longer than buyers wait. */
  let lateWrites = 0;
  let doubts = 0;
  let doubt: { sinceMs: number; known: Promise<void> | undefined } | undefined;

  // What many events have committed together goes to Redis together.
  const send = createBatcher(
    async (many: ScriptCall[][]) => {
      const results = await runScripts(redis, many.flat());
      const unlisted = results.filter(Array.isArray).flat() as string[];
      for (const userId of unlisted)
        if ((notices.unlisted?.size ?? 0) < UNLISTED_MAX) notices.unlisted?.add(userId);
      return many.map(() => undefined);
    },
    { running: Infinity, most: EVENTS_MAX, waitMs: Infinity },
  );

  const tellReaders = (): Promise<void> | undefined => {
    const sinceMs = clock.nowMs();
    if (doubt === undefined || sinceMs - doubt.sinceMs >= DOUBT_EVERY_MS)
      doubt = { sinceMs, known: notices.doubt?.((doubts += 1)) };
    return doubt.known;
  };
  const settle = (): void => {
    if (doubt === undefined || lateWrites > 0 || lostWrites.size > 0) return;
    doubt = undefined;
    notices.settled?.(doubts);
  };
  const lose = (lost: LostWrite): Promise<void> | undefined => {
    const older = lostWrites.get(lost.eventId);
    if (older === undefined || !isOlderVersion(lost, older)) lostWrites.set(lost.eventId, lost);
    if (!closed) repair ??= clock.after(repairEveryMs, () => void repairAll());
    return tellReaders();
  };
  const repairAll = async (): Promise<void> => {
    repair = undefined;
    const lost = [...lostWrites.values()];
    try {
      await redis.set(LOST_KEY, Date.now());
      await send(lost.flatMap((write) => repairCalls(write, knownRun(redis))));
      for (const write of lost)
        if (lostWrites.get(write.eventId) === write) lostWrites.delete(write.eventId);
      settle();
    } catch {
      for (const write of lost) void lose(write);
    }
  };
  /** Never rejects. `lost`: what to repair if Redis does not take the calls. */
  const write = async (lost: LostWrite, callsOf: (run: string) => ScriptCall[]): Promise<void> => {
    if (redis.status !== "ready") return lose(lost);
    const written = (async () => {
      try {
        await send(callsOf(knownRun(redis)));
      } catch {
        await lose(lost);
      }
      return true;
    })();
    let patience: { cancel(): void } | undefined;
    const late = new Promise<false>((resolve) => {
      patience = clock.after(PATIENCE_TIMEOUT_MS, () => resolve(false));
    });
    const inTime = await Promise.race([written, late]);
    patience?.cancel();
    if (inTime) return;
    lateWrites += 1;
    void written.then(() => {
      lateWrites -= 1;
      settle();
    });
    await tellReaders();
  };

  return {
    withdraw({ eventId, epoch, batch, endsAtMs }, tickets) {
      // The batch that commits next. Its own copies, written later, replace these.
      const next = { eventId, epoch, batch: batch + 1, endsAtMs };
      return write(next, (run) => [withdrawal(next, tickets, run)]);
    },
    write: (left, changes) => write(left, (run) => callsOfBatch(left, changes, run)),
    close() {
      closed = true;
      repair?.cancel();
    },
  };
}

/** Sales in one call. Limits how long other commands wait for it. */
const SALES_MAX = 250;

/** Writes a batch: its event's copies, what it has sold, and the tickets that it has cancelled. */
function callsOfBatch(left: Availability, changes: CommittedChanges, run: string): ScriptCall[] {
  const { eventId, epoch, batch, endsAtMs } = left;
  const { sold, purchases, cancelled, cancelledTickets, committedAtMs: atMs } = changes;
  const expiresAtMs = expiryOf(endsAtMs, Date.now());
  const copies = [
    watermarkCopy(eventId, left, run),
    { key: availableKey(eventId), text: encodeAvailability(left, run) },
  ];
  const customers: ScriptCall[] = [];
  const owners = new Map(cancelled.map(({ ticketId, userId }) => [ticketId, userId]));
  for (const ticket of cancelledTickets) {
    const userId = owners.get(ticket.id) ?? "";
    const copy: OwnedCopy<object> = { run, epoch, batch, atMs, userId, value: ticket };
    copies.push({ key: ticketKey(eventId, ticket.id), text: JSON.stringify(copy) });
    customers.push(addFields(userId, expiresAtMs, [ticket.id, eventId]));
  }
  const [ticket] = purchases[0]?.tickets ?? [];
  if (ticket !== undefined) {
    const shared: Partial<Ticket> = { ...ticket };
    delete shared.id;
    delete shared.transactionId;
    for (let start = 0; start < sold.length; start += SALES_MAX) {
      const sales = sold.slice(start, start + SALES_MAX);
      customers.push(addSales({ eventId, epoch, batch, expiresAtMs, atMs, shared, sales }, run));
    }
  }
  // The watermark stays where it is: a lost write or an import raises it.
  return [setIfNewer({ epoch, batch, expiresAtMs, copies, kept: 1 }, run), ...customers];
}

/** What an event's batch has sold, at its version. `shared`: what its tickets have in common. */
type SalesCopies = Version & {
  eventId: string;
  expiresAtMs: number;
  atMs: number;
  shared: object;
  sales: readonly { userId: string; transactionId: string; ticketIds: readonly string[] }[];
};

/** Transactions are read after a purchase. PostgreSQL has them for good. */
const TRANSACTION_MS = 3_600_000;

/** The call that writes sales. Each ticket goes over the wire as its id. */
function addSales(
  { eventId, epoch, batch, expiresAtMs, atMs, shared, sales }: SalesCopies,
  run: string,
): ScriptCall {
  const args: (string | number)[] = [
    expiresAtMs,
    Date.now() + TRANSACTION_MS,
    Date.now(),
    run,
    eventId,
    `{"run":"${run}","epoch":${epoch},"batch":${batch},"atMs":${atMs},"userId":"`,
    `",${JSON.stringify(shared).slice(1)}}`,
    `"eventId":"${eventId}","status":"pending","quantity":-`,
  ];
  for (const { userId, transactionId, ticketIds } of sales)
    args.push(userId, transactionId, ticketIds.length, ...ticketIds);
  return { name: "addSales", lua: ADD_SALES, keys: [watermarkKey(eventId)], args };
}

/** Replaces the copies of tickets that the next batch cancels by ones without a value. */
function withdrawal(
  { eventId, epoch, batch, endsAtMs }: LostWrite,
  cancelled: readonly CancelledTicket[],
  run: string,
): ScriptCall {
  const copies = cancelled.map(({ ticketId, userId }) => {
    const copy: OwnedCopy<object> = { run, epoch, batch, atMs: 0, userId, value: null };
    return { key: ticketKey(eventId, ticketId), text: JSON.stringify(copy) };
  });
  return setIfNewer({ epoch, batch, expiresAtMs: expiryOf(endsAtMs, Date.now()), copies }, run);
}

/** Writes what a lost write left to sell, and raises the watermark above the copies before it. */
function repairCalls(lost: LostWrite, run: string): ScriptCall[] {
  const { eventId, epoch, batch, endsAtMs, available } = lost;
  const copies = [watermarkCopy(eventId, lost, run)];
  const expiresAtMs = expiryOf(endsAtMs, Date.now());
  const raised = setIfNewer({ epoch, batch, expiresAtMs, copies }, run);
  return available === undefined
    ? [raised]
    : [raised, setAvailability({ eventId, epoch, batch, endsAtMs, available }, run)];
}

/** Events in one message: some 100 KB. */
const ITEMS_MAX = 1_000;

/**
 * Broadcasts the availability of this node's events to the gateways: one message for all, at most
 * four times a second, so that a thousand events cost the same as one. "Sold out" is sent at once.
 */
function createAvailabilityPublisher(broker: ServiceBroker) {
  let changed = new Map<string, AvailabilityUpdate>();
  const pace = createThrottle(AVAILABILITY_PACE_MS, systemClock, () => {
    const items = [...changed.values()];
    changed = new Map();
    for (let start = 0; start < items.length; start += ITEMS_MAX)
      broker
        .broadcast(AVAILABILITY_CHANGED, { items: items.slice(start, start + ITEMS_MAX) })
        // A gateway that misses an update reads the availability itself within seconds.
        .catch(() => undefined);
  });
  return {
    changed({ eventId, epoch, batch, available }: Availability): void {
      const before = changed.get(eventId);
      if (before !== undefined && isOlderVersion({ epoch, batch }, before)) return;
      changed.set(eventId, { eventId, available: Math.max(0, available), epoch, batch });
      pace.schedule(available <= 0);
    },
    close: (): void => pace.stop(),
  };
}

/** Passes on what each batch leaves to sell, to Redis and to the gateways. */
export function createAvailabilityCopies(
  broker: ServiceBroker,
  redis: RedisClient,
  unlisted: CopyNotices["unlisted"],
): ClosableCopies {
  const publisher = createAvailabilityPublisher(broker);
  const cacheWriter = createAvailabilityCacheWriter(redis, undefined, undefined, {
    unlisted,
    ...createDoubtNotices(broker),
  });
  return {
    ...cacheWriter,
    write(left, changes) {
      publisher.changed(left);
      return cacheWriter.write(left, changes);
    },
    close() {
      cacheWriter.close();
      publisher.close();
    },
  };
}
