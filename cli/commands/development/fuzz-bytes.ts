import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { measureFloods } from "../../../tools/fuzz/bytes/floods.ts";
import { type BytesReport, fuzzBytes } from "../../../tools/fuzz/bytes/run.ts";
import { startFuzzServers, throughNginx } from "../../../tools/fuzz/bytes/servers.ts";
import { outsideEnvironment } from "../../../tools/process/outside-environment.ts";
import { makeCertificate } from "../../../tools/testing/certificate.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

type Options = {
  streams: number;
  seed?: number;
  held: number;
  tls?: boolean;
  nginx?: boolean;
  floods?: boolean;
};

/** Searches of others stay below this under every flood. */
const P99_MAX_MS = 500;
const MIB = 1_048_576;

const report = (line: string): void => console.log(`fuzz-bytes: ${line}`);

export function define(command: Command): void {
  command
    .description(
      "Sends seeded streams of raw bytes to a gateway and to a plain server of Node with the same " +
        "handler: versions, targets, broken framing, pipelining, splits, half-closed and " +
        "never-reading clients. Answers must agree, but for differences that a table explains; " +
        "every connection must end; the process must live.",
    )
    .option("--streams <count>", "number of streams", wholeNumber(1, 1e9), 20_000)
    .option("--seed <number>", "seed of the first stream (default: drawn)", wholeNumber(0, 1e9))
    .option("--held <count>", "streams that wait for their time-outs", wholeNumber(0, 10_000), 200)
    .option("--tls", "over TLS")
    .option("--nginx", "through nginx, before both servers")
    .option("--floods", "instead: times of searches while others flood the gateway")
    .addHelpText(
      "after",
      examples(
        ["fuzz-bytes --streams 100000", "the long run"],
        ["fuzz-bytes --streams 1 --held 0 --seed 7", "repeats one stream"],
      ),
    )
    .action(exiting((options: Options) => (options.floods ? runFloods() : runBytes(options))));
}

async function runBytes({ streams, held, tls, nginx, ...options }: Options): Promise<number> {
  const { seed = Date.now() % 1_000_000_000 } = options;
  return withFolder(async (folder) => {
    // nginx ends TLS.
    const behind = await startFuzzServers(environmentOf(folder, tls === true && nginx !== true));
    const certificate = tls === true ? makeCertificate(folder, "nginx") : undefined;
    const servers = nginx === true ? await throughNginx(behind, certificate) : behind;
    try {
      const startedMs = performance.now();
      const progress = (done: number): void => {
        if (done % 10_000 === 0) report(`${done} streams`);
      };
      const [isTls, isProxied] = [tls === true, nginx === true];
      const result = await fuzzBytes({ servers, streams, seed, held, isTls, isProxied, progress });
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      report(`${result.streams} streams in ${seconds} s, seed ${seed}`);
      return show(result);
    } finally {
      await servers.stop();
    }
  });
}

function show({ statuses, explanations, faults, connections, rssBytes }: BytesReport): number {
  console.table(statuses);
  console.table(Object.fromEntries(explanations));
  for (const fault of faults) console.error(`\n${fault}`);
  const [before, after] = [rssBytes.before, rssBytes.after].map((bytes) => Math.round(bytes / MIB));
  report(`memory ${before} MiB after a quarter of the streams, ${after} MiB at the end`);
  report(`${faults.length} faults; ${connections} connections left`);
  return faults.length + connections === 0 ? 0 : 1;
}

async function runFloods(): Promise<number> {
  return withFolder(async (folder) => {
    const [http, tls] = await Promise.all([
      startFuzzServers(environmentOf(folder, false)),
      startFuzzServers(environmentOf(folder, true)),
    ]);
    try {
      const results = await measureFloods({ http: http.gateway, tls: tls.gateway });
      console.table(results);
      const slow = results.filter(({ p99Ms, failed }) => p99Ms > P99_MAX_MS || failed > 0);
      report(slow.length === 0 ? `p99 below ${P99_MAX_MS} ms throughout` : "searches suffered");
      return slow.length === 0 ? 0 : 1;
    } finally {
      await Promise.all([http.stop(), tls.stop()]);
    }
  });
}

function environmentOf(folder: string, tls: boolean): Record<string, string | undefined> {
  const environment = { ...outsideEnvironment(), DATA_DIR: folder };
  if (!tls) return environment;
  const { certFile, keyFile } = makeCertificate(folder, "localhost");
  return { ...environment, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
}

async function withFolder(work: (folder: string) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-fuzz-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
