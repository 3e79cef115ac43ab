// Runs the core's tests of selling on a copy whose tables of sales are partitioned (ADR-0057).
import { partitionCopies } from "../support/database.ts";

partitionCopies();
for (const suite of [
  "fence/fence",
  "fence/fence-race",
  "fence/batched-event-store",
  "fence/batched-event-store-race",
  "purchasing",
  "purchased-tickets",
  "ticket-lists",
  "worker-query-plans",
])
  await import(`../purchasing/${suite}.int.test.ts`);
