import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../../../config/index.ts";
import type { Database } from "../../../../lib/database/pool.ts";
import { openRedis, whenReady } from "../../../../lib/redis/client.ts";
import { ROOT } from "../../../root.ts";
import { writeCatalog } from "../../harness/catalog-file.ts";
import type { Bound, Measurement } from "../../harness/measurement.ts";
import {
  cpuMsOf,
  peakMemoryMbOf,
  type Processes,
  startMeter,
} from "../../harness/process-figures.ts";
import { type BenchEngine, openSale, type Sale, startBenchEngine } from "../../harness/sale.ts";

const LOOK_EVERY_MS = 200;
const REDIS_MS = 5_000;
const PROGRAM = join(ROOT, "cli", "program.ts");

/** A million within five minutes and a gigabyte, of the importing process and of the engine. */
export const IMPORT_BOUNDS: readonly Bound[] = [
  { of: /: import$/, figure: "errors", most: 0 },
  { of: /^1,000,000 events: import$/, figure: "seconds", most: 300, ifMeasured: true },
  { of: /^1,000,000 events: import$/, figure: "peakMb.import", most: 1_024, ifMeasured: true },
  { of: /^1,000,000 events: import$/, figure: "peakMb.engine", most: 1_024, ifMeasured: true },
];

export type ImportOptions = {
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

type ImportRunOptions = Pick<ImportOptions, "servers"> & {
  name: string;
  file: string;
  events: number;
  engine: BenchEngine;
  environment: Environment;
  profileFolder: string | undefined;
};

export const sizeName = (events: number): string => `${events.toLocaleString("en")} events`;

/** Imports catalogs of these sizes in turn, each into an empty catalog. */
export async function imports(
  environment: Environment,
  options: ImportOptions & { events: readonly number[] },
): Promise<Measurement[]> {
  const sale = openSale(environment, options.folder);
  try {
    const measured: Measurement[] = [];
    for (const events of options.events) measured.push(await importCatalog(sale, events, options));
    return measured;
  } finally {
    await sale.database.close();
  }
}

/** Writes a feed of `events` events and imports it by the command into an empty catalog. */
export async function importCatalog(
  sale: Sale,
  events: number,
  options: ImportOptions,
): Promise<Measurement> {
  const size = sizeName(events);
  const file = join(options.folder, "catalog.jsonl");
  options.report(`${size}: writing the feed`);
  await writeCatalog(file, events, Date.now());
  await forgetAll(sale);
  const profileFolder = options.profile ? options.folder : undefined;
  const engine = await startBenchEngine(sale, "worker", profileFolder);
  try {
    options.report(`${size}: importing`);
    const environment = { ...sale.environment, NODE_ID: "" };
    const { servers } = options;
    return await runImport(sale.database, {
      name: `${size}: import`,
      file,
      events,
      engine,
      servers,
      environment,
      profileFolder,
    });
  } finally {
    await engine.stop();
    rmSync(file, { force: true });
  }
}

async function forgetAll({ database, config }: Sale): Promise<void> {
  await database.query({ text: "TRUNCATE event, event_worker" });
  const redis = openRedis(config.redisUrl ?? "", () => undefined);
  await whenReady(redis, REDIS_MS);
  await redis.flushall();
  redis.disconnect();
}

/** Imports a feed by the command into a running engine. Throws if events are missing. */
async function runImport(database: Database, options: ImportRunOptions): Promise<Measurement> {
  const { name, file, events, engine, servers, environment, profileFolder } = options;
  const meter = startMeter({ engine: engine.process.pid ?? 0, ...servers });
  const began = performance.now();
  const profiled =
    profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const command = spawn(process.execPath, [...profiled, PROGRAM, "import", file], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, peakMb, cpuMs] = ["", 0, 0];
  command.stdout.on("data", (text: Buffer) => (output += text.toString()));
  command.stderr.pipe(process.stderr);
  const looking = setInterval(() => {
    peakMb = Math.max(peakMb, peakMemoryMbOf(command.pid ?? 0));
    cpuMs = Math.max(cpuMs, cpuMsOf(command.pid ?? 0));
  }, LOOK_EVERY_MS);
  const [code] = (await once(command, "exit")) as [number | null];
  clearInterval(looking);
  const seconds = (performance.now() - began) / 1_000;
  const [row] = await database.query<{ count: number }>({
    text: "SELECT count(*)::float8 AS count FROM event",
  });
  if (code !== 0 || row?.count !== events)
    throw new Error(
      `The import ended with ${code} and ${row?.count} of ${events} events: ` +
        output.slice(-2_000),
    );
  const figures = meter(events);
  return {
    name,
    role: "ours",
    operation: "event",
    operations: events,
    seconds,
    perSecond: events / seconds,
    errors: 0,
    cpuMs: { ...figures.cpuMs, import: cpuMs / events },
    peakMb: { ...figures.peakMb, import: peakMb },
  };
}
