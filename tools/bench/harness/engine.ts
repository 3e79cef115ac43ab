import { processEnvironment, readConfig, requireServers } from "../../../config/index.ts";
import { type SchemaOverrides, startNode } from "../../../main.ts";
import { redlockPurchasing, rowLockPurchasing } from "../rivals/locking-baselines.ts";
import { isContender, type Contender } from "./contenders.ts";

// The engine in a process of its own, to measure its CPU and memory apart from the load.
const contender = process.argv[2] ?? "";
if (!isContender(contender)) throw new Error(`No contender is called "${contender}"`);
const config = readConfig(processEnvironment());
const { databaseUrl } = requireServers(config);

/**
 * The best of the tried settings for 1,000 waiting buyers. Shorter delays let the retries of the
 * waiting ones delay the holder of the lock. After 4 s the gateway has timed out anyway.
 */
const TUNED = { retryCount: 20, retryDelay: 200, retryJitter: 200 };

const REPLACEMENTS: Record<Contender, SchemaOverrides> = {
  worker: {},
  "row-lock": { purchasing: rowLockPurchasing(databaseUrl, "transaction") },
  "row-lock-statement": { purchasing: rowLockPurchasing(databaseUrl, "statement") },
  "redlock-defaults": { purchasing: redlockPurchasing(databaseUrl, undefined) },
  "redlock-tuned": { purchasing: redlockPurchasing(databaseUrl, TUNED) },
};

const node = await startNode(config, REPLACEMENTS[contender]);
process.send?.({ url: node.url });
process.on("message", (message) => {
  if (message === "layers") process.send?.({ layers: node.layers });
  if (message === "stop") void node.stop().then(() => process.disconnect());
});
process.on("disconnect", () => process.exit());
