import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Environment } from "../config.ts";
import type { Database } from "../mixins/database.ts";
import type { Bound, Measurement } from "./outcome.ts";
import { cpuMsOf, peakMemoryMbOf, type Processes, startMeter } from "./process-figures.ts";
import type { BenchEngine } from "./sale.ts";

const LOOK_EVERY_MS = 200;
const COMMAND = fileURLToPath(new URL("../scripts/import.ts", import.meta.url));

/** A million within five minutes and a gigabyte, of the importing process and of the engine. */
export const IMPORT_BOUNDS: readonly Bound[] = [
  { of: /^1,000,000 events: import$/, figure: "seconds", most: 300, ifMeasured: true },
  { of: /^1,000,000 events: import$/, figure: "peakMb.import", most: 1_024, ifMeasured: true },
  { of: /^1,000,000 events: import$/, figure: "peakMb.engine", most: 1_024, ifMeasured: true },
];

export type ImportRunOptions = {
  name: string;
  file: string;
  events: number;
  engine: BenchEngine;
  servers: Processes;
  environment: Environment;
};

/** Imports a feed by the command that people use, into an engine that runs. Throws where an event is not in the catalogue afterwards. */
export async function runImport(database: Database, options: ImportRunOptions): Promise<Measurement> {
  const { name, file, events, engine, servers, environment } = options;
  const meter = startMeter({ engine: engine.process.pid ?? 0, ...servers });
  const began = performance.now();
  const command = spawn(process.execPath, [COMMAND, file], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
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
  const [row] = await database.query<{ count: number }>({ text: "SELECT count(*)::float8 AS count FROM event" });
  if (code !== 0 || row?.count !== events)
    throw new Error(`The import ended with ${code}; of ${events} events ${row?.count} are there: ${output.slice(-2_000)}`);
  const figures = meter(events);
  return {
    ...{ name, role: "ours", operation: "event", operations: events, seconds, perSecond: events / seconds, errors: 0 },
    cpuMs: { ...figures.cpuMs, import: cpuMs / events },
    peakMb: { ...figures.peakMb, import: peakMb },
  };
}
