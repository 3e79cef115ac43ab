import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "amqplib";
import { createEventOrder } from "../../lib/bus/event-owner.strategy.ts";
import { TRANSACTION_QUEUE } from "../../lib/queue/topology.ts";
import { copyTree, takeOut } from "../testing/mutated-copy.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import type { Fault } from "./fault.ts";
import { withRedis } from "./network/patient-redis.ts";
import type { ChaosMutant } from "./mutants.ts";
import { type FaultResult, runFault } from "./run-fault.ts";
import { detailsOf, hasFailed } from "./table.ts";
import { openWorld, type World, type WorldOptions } from "./test-bed.ts";

/** A world whose purchasing and ledger nodes run a copy of the code, for mistakes. */
export type MutantWorld = { world: World; folder: string; close(): Promise<void> };

export type MutantOptions = { report: Report; seed: number; abort?: AbortSignal };

/** Small and short, because the faults bring the events that reveal the mistakes. */
const LOAD = {
  clients: 2,
  hotCapacity: 60,
  aroundSeconds: { before: 0.5, after: 0.5 },
  patienceSeconds: 15,
};
const SEEN_WITHIN_MS = 10_000;

/** Copies the code and starts a world on the copy. close() removes both. */
export async function openMutantWorld(options: WorldOptions): Promise<MutantWorld> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-chaos-mutants-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    copyTree(folder);
    const program = join(folder, "cli", "program.ts");
    const programs = { purchasing: program, ledger: program };
    const world = await openWorld({ ...options, throwaway: true, program: programs });
    return { world, folder, close: () => world.close().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * Runs each mistake's part of a fault on a cluster with the mistake, and once without. With it the
 * run must fail for the expected reason; without it the run must pass. Returns a line for each that
 * did not. All use one world; only the copy of the code is changed.
 */
export async function runMutants(
  { world, folder }: Pick<MutantWorld, "world" | "folder">,
  mutants: readonly ChaosMutant[],
  { report, seed, abort }: MutantOptions,
): Promise<string[]> {
  const wrong: string[] = [];
  const say = (
    verdict: string,
    { mistake, shownBy }: ChaosMutant | { mistake: string; shownBy: Fault },
    { seconds }: FaultResult,
  ): void =>
    report(
      `${verdict} (${seconds.toFixed(1)} s): ${shownBy.id}, ${shownBy.title}, with ${mistake}`,
    );
  for (const shownBy of new Set(mutants.map((mutant) => mutant.shownBy))) {
    abort?.throwIfAborted();
    const result = await runFault(world, shownBy, { ...LOAD, seed, log: () => undefined });
    const fails = hasFailed(result);
    if (fails)
      wrong.push(
        `${shownBy.id}, ${shownBy.title}, fails without a mistake: ` + detailsOf(result).join("; "),
      );
    say(fails ? "RED" : "green", { mistake: "no mistake", shownBy }, result);
  }
  for (const mutant of mutants) {
    abort?.throwIfAborted();
    const result = await withMistake(world, folder, mutant, seed);
    const seen = isSeen(mutant, result);
    if (!seen)
      wrong.push(
        `${mutant.mistake}: not detected by ${String(mutant.red)}: ` +
          (detailsOf(result).join("; ") || "everything passed"),
      );
    say(seen ? `seen by ${String(mutant.red)}` : "NOT SEEN", mutant, result);
  }
  return wrong;
}

function isSeen({ red }: ChaosMutant, { violations, missed }: FaultResult): boolean {
  return typeof red === "string"
    ? violations.some(({ invariant }) => invariant === red)
    : missed.some((text) => red.test(text));
}

/** Leaves the nodes stopped. The next run starts what it needs with the code as it is then. */
async function withMistake(
  world: World,
  folder: string,
  { edits, in: service, schema, shownBy }: ChaosMutant,
  seed: number,
): Promise<FaultResult> {
  const { cluster, database } = world;
  const stop = () => Promise.all(cluster.of(service).map((node) => node.stop()));
  const putBack = takeOut(folder, edits);
  try {
    await stop();
    if (schema !== undefined) await database.query({ text: schema.out });
    await cluster.heal();
    await untilSeen(world);
    return await runFault(world, shownBy, { ...LOAD, seed, log: () => undefined });
  } finally {
    putBack();
    await stop();
    await forgetAll(world);
    if (schema !== undefined) await database.query({ text: schema.back });
  }
}

/** Waits until the bus knows the restarted nodes again. */
async function untilSeen(world: World): Promise<void> {
  const order = createEventOrder(await world.bus(), "purchasing.serve");
  const deadline = performance.now() + SEEN_WITHIN_MS;
  while (
    order.of("any").length < world.cluster.of("purchasing").length &&
    performance.now() < deadline
  )
    await delay(50);
}

/** Removes a mistake's data from the servers. */
async function forgetAll({ database, urls }: World): Promise<void> {
  await database.transaction(async (connection) => {
    // A trigger makes the ledger append-only. This disables it for the transaction.
    await connection.query({ text: "SET LOCAL session_replication_role = replica" });
    await connection.query({
      text:
        "TRUNCATE event, event_worker, event_tickets, event_ticket_transactions, " +
        "capacity_ledger",
    });
  });
  await withRedis(urls.REDIS_URL, (redis) => redis.flushall());
  const model = await connect(urls.AMQP_URL, { timeout: 2_000 });
  const channel = await model.createChannel();
  for (const queue of [TRANSACTION_QUEUE, `${TRANSACTION_QUEUE}.dead`])
    await channel.purgeQueue(queue);
  await model.close();
}
