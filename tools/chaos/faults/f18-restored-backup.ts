import { execFile } from "node:child_process";
import { readFileSync, readlinkSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Part, reconcileAll } from "../../engine/reconcile.ts";
import { randomId } from "../../testing/seeded-random.ts";
import { Customer } from "../load/customer.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { Journal } from "../load/journal.ts";

const LOST_CANCELLATIONS = 5;

/** Runs pg_basebackup as the server's user. */
async function takeBackup({ servers, world }: FaultContext, folder: string): Promise<void> {
  const pid = servers.server("postgres").pid ?? 0;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const idOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  const as = process.getuid?.() === 0 ? { uid: idOf("Uid"), gid: idOf("Gid") } : {};
  const program = join(dirname(readlinkSync(`/proc/${pid}/exe`)), "pg_basebackup");
  const args = ["-d", world.urls.DATABASE_URL, "-D", folder, "-X", "stream", "-c", "fast"];
  await promisify(execFile)(program, args, { timeout: 60_000, cwd: "/", ...as });
}

async function epochOf({ world, hot }: FaultContext): Promise<number> {
  const text = "SELECT epoch::float8 AS epoch FROM event_worker WHERE event_id = $1";
  return (await world.database.query<{ epoch: number }>({ text, values: [hot] }))[0]?.epoch ?? 0;
}

/**
 * Buys and cancels under the same epoch after the backup. The journal leaves these out, because the
 * restored server does not know them.
 */
async function sellWhatWillBeLost(
  { market, hot, random, expect }: FaultContext,
  tickets: readonly string[],
  user: string,
): Promise<void> {
  const lost = { ...market, journal: new Journal() };
  const customer = new Customer(lost, user, random);
  for (const ticket of tickets)
    expect(
      (await customer.cancel(hot, ticket)).outcome === "ok",
      "a cancellation after the backup failed",
    );
  const buyer = new Customer(lost, randomId(random), random);
  expect(
    (await buyer.buy(hot, 3, randomId(random))).outcome === "ok",
    "a purchase after the backup failed",
  );
}

/** Restores a backup under a worker that has sold since and still holds its epoch. */
export const fault: Fault = {
  id: "F18",
  title: "PostgreSQL restored from a backup into a fresh server under a live worker",
  async run(context) {
    const {
      servers,
      market,
      hot,
      random,
      load,
      world,
      phase,
      mark,
      until,
      forSeconds,
      expect,
      note,
    } = context;
    const postgres = servers.server("postgres");
    const cluster = join(servers.folder, "postgres", "data", "cluster");
    const user = randomId(random);
    const bought = await new Customer(market, user, random).buy(
      hot,
      LOST_CANCELLATIONS,
      randomId(random),
    );
    await load.pause(true);
    const before = await epochOf(context);
    await phase("a backup is taken", () => takeBackup(context, `${cluster}.backup`));
    await sellWhatWillBeLost(context, bought.tickets, user);
    expect(
      (await epochOf(context)) === before,
      "the worker had taken another epoch before the restore",
    );
    const beganMs = performance.now();
    await phase("the server is lost, a fresh one gets the backup", async () => {
      postgres.kill("SIGKILL");
      await until("PostgreSQL is gone", () => postgres.pid === undefined, 5);
      renameSync(cluster, `${cluster}.lost`);
      renameSync(`${cluster}.backup`, cluster);
      await postgres.restart();
    });
    const seconds = (performance.now() - beganMs) / 1_000;
    mark();
    await load.pause(false);
    await phase("sales go on", async () => {
      await until("a newer epoch", async () => (await epochOf(context)) > before, 10);
      await forSeconds(4);
    });
    rmSync(`${cluster}.lost`, { recursive: true, force: true });
    const broker = await world.bus();
    const value = await reconcileAll(async (params) => {
      const options = { timeout: 65_000 };
      return (await broker.call<{ value: Part }, object>("ledger.reconcile", params, options))
        .value;
    });
    const left = value.differences.filter(({ mended }) => !mended);
    expect(
      left.length + value.more === 0,
      `reconcile cannot repair: ${left.map(({ sentence }) => sentence).join("; ")}`,
    );
    note(`restored in ${seconds.toFixed(1)} s, ${value.differences.length} copies repaired`);
  },
};
