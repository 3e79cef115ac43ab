import { processEnvironment, readConfig, requireServers } from "../config.ts";
import { type Replacements, startNode } from "../main.ts";
import { redlockPurchasing, rowLockPurchasing } from "./baselines.ts";
import { isContender, type Contender } from "./contenders.ts";

/** One engine of the benchmark, in a process of its own, so that its time and memory can be told from the load's: `node engine.ts CONTENDER`. */
const contender = process.argv[2] ?? "";
if (!isContender(contender)) throw new Error(`No contender is called "${contender}"`);
const config = readConfig(processEnvironment());
const { databaseUrl } = requireServers(config);

const REPLACEMENTS: Record<Contender, Replacements> = {
  worker: {},
  "row-lock": { createPurchasing: rowLockPurchasing(databaseUrl, "transaction") },
  "row-lock-statement": { createPurchasing: rowLockPurchasing(databaseUrl, "statement") },
  "redlock-defaults": { createPurchasing: redlockPurchasing(databaseUrl, undefined) },
  "redlock-tuned": { createPurchasing: redlockPurchasing(databaseUrl, { retryCount: 400, retryDelay: 10, retryJitter: 10 }) },
};

const node = await startNode(config, REPLACEMENTS[contender]);
process.send?.({ url: node.url });
process.on("message", (message) => {
  if (message === "stop") void node.stop().then(() => process.disconnect());
});
process.on("disconnect", () => process.exit());
