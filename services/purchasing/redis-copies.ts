import { type Clock, systemClock } from "../../mixins/clock.ts";
import { gather } from "../../mixins/gather.ts";
import { availableKey, type StampedCopies, writeCopiesOfMany } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import type { CommittedBatch, Copies } from "./ports.ts";

const DAY_MS = 86_400_000;
/** A transaction's copy says "pending"; should nobody delete it, it says so for this long at most. */
const TRANSACTION_COPY_MS = 60_000;
/** No buyer waits longer than this for a copy. */
const PATIENCE_MS = 150;
/** Batches in one write to Redis. */
const BATCHES_MAX = 250;

/**
 * What a batch changed, for readers that need not ask PostgreSQL: what is left, the tickets, the transactions. A failure costs readers time, never
 * truth: it is repaired in the background with the newest state of the event until Redis takes it.
 */
export function redisCopies(redis: RedisClient, repairEveryMs = 1_000, clock: Clock = systemClock): Copies & { close(): void } {
  /** The newest availability per event that Redis has not taken, and nothing else: an outage may be long. */
  const owed = new Map<string, CommittedBatch>();
  let repair: { cancel(): void } | undefined;
  let closed = false;

  // What many events have committed together goes to Redis together.
  const send = gather((batches: CommittedBatch[]) => writeBatches(redis, batches), {
    running: Infinity,
    most: BATCHES_MAX,
    waitMs: Infinity,
  });

  const write = async (batch: CommittedBatch): Promise<void> => {
    try {
      await send(batch);
      const older = owed.get(batch.eventId);
      if (older !== undefined && !isNewer(older, batch)) owed.delete(batch.eventId);
    } catch {
      const older = owed.get(batch.eventId);
      if (older === undefined || isNewer(batch, older)) owed.set(batch.eventId, { ...batch, sold: [], cancelled: [], userIds: [] });
      if (!closed) repair ??= clock.after(repairEveryMs, repairAll);
    }
  };
  const repairAll = (): void => {
    repair = undefined;
    for (const batch of [...owed.values()]) void write(batch);
  };

  return {
    async write(batch) {
      if (redis.status !== "ready") return void write(batch);
      let patience: { cancel(): void } | undefined;
      await Promise.race([write(batch), new Promise<void>((resolve) => (patience = clock.after(PATIENCE_MS, resolve)))]);
      patience?.cancel();
    },
    close() {
      closed = true;
      repair?.cancel();
    },
  };
}

function isNewer(one: CommittedBatch, other: CommittedBatch): boolean {
  return one.epoch > other.epoch || (one.epoch === other.epoch && one.batch > other.batch);
}

async function writeBatches(redis: RedisClient, batches: readonly CommittedBatch[]): Promise<(undefined | Promise<never>)[]> {
  const copies = batches.map(copiesOf);
  const errors = (await writeCopiesOfMany(redis, copies.flat())).values();
  return copies.map((ofBatch) => {
    const [error] = ofBatch.map(() => errors.next().value).filter((one) => one instanceof Error);
    return error === undefined ? undefined : Promise.reject(error);
  });
}

function copiesOf(batch: CommittedBatch): StampedCopies[] {
  const { eventId, available, sold, cancelled, endsAtMs } = batch;
  const tickets = [...sold.flatMap((purchase) => purchase.tickets), ...cancelled];
  const lasting = [
    { key: availableKey(eventId), value: { available: Math.max(0, available) } },
    ...tickets.map((ticket) => ({ key: `event_ticket:{${eventId}}:${ticket.id}`, value: { ticket } })),
  ];
  const passing = sold.map(({ transactionId, quantity, status }) => {
    return {
      key: `event_ticket_transaction:{${eventId}}:${transactionId}`,
      value: { transactionId, eventId, status, quantity: -quantity },
    };
  });
  const copies: StampedCopies[] = [{ copies: lasting, stamp: batch, expiresAtMs: Math.max(endsAtMs, Date.now()) + DAY_MS }];
  if (passing.length > 0) copies.push({ copies: passing, stamp: batch, expiresAtMs: Date.now() + TRANSACTION_COPY_MS });
  return copies;
}
