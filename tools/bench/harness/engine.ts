import { processEnvironment, readConfig, requireServers } from "../../../config/index.ts";
import { type SchemaOverrides, startNode } from "../../../main.ts";
import { redlockPurchasing, rowLockPurchasing } from "../rivals/locking-baselines.ts";
import { isContender, type Contender } from "./contenders.ts";

/** One engine of the benchmark, in a process of its own, so that its time and memory can be told from the load's: `node engine.ts CONTENDER`. */
const contender = process.argv[2] ?? "";
if (!isContender(contender)) throw new Error(`No contender is called "${contender}"`);
const config = readConfig(processEnvironment());
const { databaseUrl } = requireServers(config);

/**
 * Of what was tried with 1,000 waiting buyers (retries × delay ± jitter in ms), sold a second and refused in four seconds on a quiet machine:
 * redlock's defaults 10 × 200 ± 100: 650, 820; 20 × 200 ± 200: 700, 70; 10 × 400 ± 400: 530, 140; 6 × 600 ± 600: 770, 200. Below 200 ms the tries
 * of those who wait drown the one who holds the lock: 40 × 100 ± 100: 370, 19; 80 × 50 ± 50: 15, 0; 400 × 10 ± 10: 31, 0. More than four seconds
 * of waiting are no use: the gateway has answered by then.
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
