// What shares a statement with a damaged page is read alone, so that one event's or one customer's
// page refuses no other one.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Connection } from "../../lib/database/pool.ts";
import {
  createBatchedEventStore,
  type ManyEvents,
} from "../../services/purchasing/store/batched-event-store.ts";
import { createTicketLists } from "../../services/purchasing/tickets/ticket-list.ts";
import { NOTHING } from "../../services/purchasing/worker/batch.ts";
import type { EventStore } from "../../services/purchasing/worker/ports.ts";

const failing = (code: string): Promise<never> =>
  Promise.reject(Object.assign(new Error("invalid page in block 7"), { code }));

/** A store on which one event is damaged, and statements of several fail by it. */
function storeWith(code: string): EventStore {
  const alone = <T>(value: T) => ({
    of: (eventId: string) => (eventId === "damaged" ? failing(code) : Promise.resolve(value)),
  });
  const one = {
    load: alone("loaded").of,
    loadEvent: alone("event").of,
    readPurchases: alone(new Map()).of,
  } as unknown as EventStore;
  const many = {
    load: () => failing(code),
    loadEvents: () => failing(code),
    readPurchases: () => failing(code),
  } as unknown as ManyEvents;
  return createBatchedEventStore(one, many);
}

const statuses = async (reads: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(reads)).map(({ status }) => status);

it("loads, events and purchases of others are read", async () => {
  const store = storeWith("XX001");
  const ids = ["one", "damaged", "two"];
  const reads = [
    ids.map((id) => store.load(id, NOTHING)),
    ids.map((id) => store.loadEvent(id)),
    ids.map((id) => store.readPurchases(id, [])),
  ];
  for (const each of reads)
    assert.deepEqual(await statuses(each), ["fulfilled", "rejected", "fulfilled"]);
});

it("another error is not asked again event by event", async () => {
  const store = storeWith("57014");
  const ids = ["one", "damaged", "two"];
  assert.deepEqual(await statuses(ids.map((id) => store.load(id, NOTHING))), [
    "rejected",
    "rejected",
    "rejected",
  ]);
});

it("lists of other customers are read", async () => {
  const statements: (string | undefined)[] = [];
  const database = {
    query: ({ name, values }: { name?: string; values?: unknown[] }) => {
      statements.push(name);
      return JSON.stringify(values).includes("damaged") ? failing("XX002") : Promise.resolve([]);
    },
  } as unknown as Connection;
  const list = createTicketLists(database);
  const reads = ["one", "damaged", "two"].map((userId) =>
    list({ userId, status: undefined, after: undefined, limit: 20 }),
  );
  assert.deepEqual(await statuses(reads), ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(statements, ["tickets-lists", "tickets-list", "tickets-list", "tickets-list"]);
});
