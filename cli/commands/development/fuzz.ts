import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { readConfig } from "../../../config/index.ts";
import { startNode } from "../../../main.ts";
import { migrate } from "../../../tools/database/migrations.ts";
import { ensureDemoCatalog } from "../../../tools/demo/ensure-demo-catalog.ts";
import { openToServers } from "../../../tools/dev-servers/data-folders.ts";
import { startServers } from "../../../tools/dev-servers/servers.ts";
import { CONTRACT_FILE, readContract } from "../../../tools/fuzz/contract.ts";
import { fuzzFeeds } from "../../../tools/fuzz/feeds/run.ts";
import { fuzz } from "../../../tools/fuzz/run.ts";
import { outsideEnvironment } from "../../../tools/process/outside-environment.ts";
import { examples, exiting, valueOf, wholeNumber } from "../../options.ts";

const CREDENTIALS = { email: "fuzz@example.com", password: "seventeen violet umbrellas" };
const BUYERS = 10;

type Options = { requests: number; feeds?: number; seed?: number; contract?: string };

export function define(command: Command): void {
  command
    .description(
      "Sends requests made from an OpenAPI document (valid, nearly valid, absurd) to an engine on " +
        "servers of its own. Every response must have a documented status and body, come within " +
        "5 s, and be no 5xx other than a documented 503.",
    )
    .option("--requests <count>", "number of requests", wholeNumber(1, 1e9), 20_000)
    .option(
      "--feeds <count>",
      "instead, reads mutated calendars and compares the moments with those of ical.js",
      wholeNumber(1, 1e9),
    )
    .option("--seed <number>", "seed of the run (default: drawn)", wholeNumber(0, 1e12))
    .option(
      "--contract <file>",
      "another OpenAPI document (default: docs/api/openapi.yaml)",
      valueOf((file) => (existsSync(file) ? file : undefined), "a file that exists"),
    )
    .addHelpText(
      "after",
      examples(
        ["fuzz --requests 5000 --seed 7", "repeats a run"],
        ["fuzz --feeds 50000", "the readers of feeds"],
      ),
    )
    .action(exiting(runFuzz));
}

async function runFuzz(options: Options): Promise<number> {
  const { requests, seed = Date.now() % 1_000_000_000 } = options;
  if (options.feeds !== undefined) return runFeedFuzz(options.feeds, seed);
  const dataDir = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-fuzz-")));
  const report = (line: string): void => console.log(`fuzz: ${line}`);
  const servers = await startServers({ dataDir, report, restart: false, throwaway: true });
  try {
    const settings = {
      PORT: "0",
      DATA_DIR: dataDir,
      RATE_LIMITS: "off",
      LOG_LEVEL: "error",
      AUDIT_FILE: join(dataDir, "audit.log"),
    };
    const config = readConfig({ ...outsideEnvironment(), ...servers.urls, ...settings });
    await migrate(servers.urls.DATABASE_URL ?? "");
    const node = await startNode(config);
    try {
      const url = node.url ?? "";
      await ensureDemoCatalog(node.broker, config);
      const page = (await (await fetch(`${url}/api/events?limit=20`)).json()) as {
        items: { id: string }[];
      };
      const served = readContract(await (await fetch(`${url}/api/openapi.json`)).text());
      const contract = readContract(readFileSync(options.contract ?? CONTRACT_FILE, "utf8"));
      const tokens = await Promise.all(
        Array.from({ length: BUYERS }, (_, index) => signedUp(url, index)),
      );
      const startedMs = performance.now();
      const result = await fuzz({
        url,
        contract,
        served,
        requests,
        seed,
        tokens,
        credentials: CREDENTIALS,
        eventIds: page.items.map(({ id }) => id),
        progress: (done) => (done % 5_000 === 0 ? report(`${done} requests`) : undefined),
      });
      report(
        `${result.sent} requests in ${Math.round((performance.now() - startedMs) / 1_000)} s, ` +
          `seed ${seed}; slowest ${Math.round(result.slowestMs)} ms`,
      );
      console.table(result.statuses);
      if (result.absent.length > 0) report(`not built: ${result.absent.join(", ")}`);
      for (const fault of result.faults) console.error(`\n${fault}`);
      report(
        result.faults.length === 0
          ? "every response agrees with the contract"
          : `${result.faults.length} kinds of responses do not agree with the contract`,
      );
      return result.faults.length === 0 ? 0 : 1;
    } finally {
      await node.stop();
    }
  } finally {
    await servers.stop();
    for (const folder of [servers.folder, dataDir])
      rmSync(folder, { recursive: true, force: true });
  }
}

/** Registers and signs in. The requests know the password of the first account. */
async function signedUp(url: string, index: number): Promise<string> {
  const credentials =
    index === 0 ? CREDENTIALS : { ...CREDENTIALS, email: `fuzz-${index}@example.com` };
  const post = (path: string, body: object) =>
    fetch(url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  await post("/api/auth/register", { ...credentials, name: "Fuzz" });
  const login = (await (
    await post("/api/auth/login", { ...credentials, delivery: "body" })
  ).json()) as { accessToken?: string };
  if (login.accessToken === undefined) throw new Error("A buyer of the fuzz run could not sign in");
  return login.accessToken;
}

async function runFeedFuzz(feeds: number, seed: number): Promise<number> {
  const startedMs = performance.now();
  const { events, compared, refused, otherZones, unreadable, faults } = await fuzzFeeds(
    feeds,
    seed,
  );
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  console.log(
    `fuzz: ${feeds} calendars in ${seconds} s, seed ${seed}: ${events} events, ${compared} of them ` +
      `compared, ${refused} refused, ${otherZones} in zones that the mutation changed, ` +
      `${unreadable} calendars unreadable, ${faults.length} faults`,
  );
  for (const fault of faults) console.log(fault);
  return faults.length === 0 ? 0 : 1;
}
