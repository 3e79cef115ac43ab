// Runs the tests of booking and reconcile on partitioned tables of sales (ADR-0057).
import { partitionCopies } from "../support/database.ts";

partitionCopies();
for (const suite of ["ledger", "failed-rows", "reconcile", "reconcile-kinds", "reconcile-parts"])
  await import(`../ledger/${suite}.int.test.ts`);
