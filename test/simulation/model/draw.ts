import fc from "fast-check";
import type { EventStatus } from "../../../domain/event-record.ts";
import { type Demand, type Fault, type History, CHANNELS } from "./steps.ts";

/** Period of demands and faults. After it, the system must recover by itself. */
export const TROUBLE_MS = 6_000;
const DEMANDS_MAX = 60;
const FAULTS_MAX = 20;

/** Two of six imports stop the sale. */
const STOPS: readonly EventStatus[] = ["postponed", "cancelled"];

const atMs = fc.integer({ min: 0, max: TROUBLE_MS });
const upTo = (max: number) => fc.integer({ min: 0, max });
/** Covers times below and above leases and time-outs. */
const forMs = fc.integer({ min: 10, max: 4_500 });

/** Prefers the first event: contention on one event finds most mistakes. */
const oneEvent = fc.integer({ min: 0, max: 3 }).map((drawn) => (drawn === 3 ? 1 : 0));

const demand: fc.Arbitrary<Demand> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("buy" as const),
      atMs,
      customer: upTo(4),
      event: oneEvent,
      key: upTo(3),
      quantity: fc.integer({ min: 1, max: 3 }),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("cancel" as const),
      atMs,
      customer: upTo(4),
      nth: upTo(5),
      twice: fc.boolean(),
    }),
  },
);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("freeze" as const), atMs, node: upTo(2), forMs }),
  },
  fc.record({ type: fc.constant("kill" as const), atMs, node: upTo(2) }),
  fc.record({ type: fc.constant("kill-after-commit" as const), atMs }),
  fc.record({ type: fc.constant("leave" as const), atMs, node: upTo(2) }),
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("hide" as const),
      atMs,
      viewer: upTo(4),
      node: upTo(2),
      forMs,
    }),
  },
  fc.record({
    type: fc.constant("import" as const),
    atMs,
    event: upTo(1),
    total: fc.integer({ min: 2, max: 14 }),
    status: upTo(5).map((drawn): EventStatus => STOPS[drawn] ?? "scheduled"),
    startsInMs: fc.option(fc.integer({ min: -1_000, max: 5_000 }), { nil: null, freq: 2 }),
    takesMs: upTo(200),
    nodesNotified: fc.boolean(),
  }),
  fc.record({ type: fc.constant("backup" as const), atMs }),
  fc.record({ type: fc.constant("restore" as const), atMs }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("lose" as const),
      atMs,
      channel: fc.constantFrom(...CHANNELS),
      forMs,
    }),
  },
  fc.record({
    type: fc.constant("delay" as const),
    atMs,
    channel: fc.constantFrom(...CHANNELS),
    forMs,
    byMs: forMs,
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("slow-commits" as const),
      atMs,
      forMs,
      byMs: upTo(3_000),
      rowMs: upTo(300),
    }),
  },
  fc.record({
    type: fc.constant("locks" as const),
    atMs,
    server: upTo(2),
    what: fc.constantFrom("down" as const, "forget" as const, "rollback" as const),
    forMs,
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("redis" as const),
      atMs,
      what: fc.constantFrom(
        "down" as const,
        "freeze" as const,
        "rollback" as const,
        "flush" as const,
      ),
      forMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("queue" as const),
      atMs,
      what: fc.constantFrom(
        "down" as const,
        "lose" as const,
        "repeat" as const,
        "shuffle" as const,
      ),
      forMs,
    }),
  },
  fc.record({
    type: fc.constant("ledger" as const),
    atMs,
    node: upTo(1),
    what: fc.constantFrom("kill" as const, "kill-after-commit" as const, "freeze" as const),
    forMs,
  }),
  fc.record({ type: fc.constant("refuse-booking" as const), atMs, event: upTo(1), forMs }),
);

/** Draws histories. A failing one is shrunk: fewer steps, smaller times and numbers. */
export const histories: fc.Arbitrary<History> = fc.record({
  seed: upTo(1_000_000),
  totals: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
  startsAtMs: fc.option(fc.integer({ min: 1_000, max: TROUBLE_MS }), { nil: null, freq: 4 }),
  skewMs: upTo(90_000),
  lossPercent: upTo(3),
  latePercent: upTo(3),
  demands: fc.array(demand, { maxLength: DEMANDS_MAX }),
  faults: fc.array(fault, { maxLength: FAULTS_MAX }),
});
