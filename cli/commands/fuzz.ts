import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { processEnvironment, readConfig, VARIABLES } from "../../config/index.ts";
import { startNode } from "../../main.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { OPERATOR, ensureDemoCatalogue } from "../../tools/demo/demo-catalog.ts";
import { readContract } from "../../tools/fuzz/contract.ts";
import { fuzz } from "../../tools/fuzz/run.ts";
import { migrate } from "../../tools/database/migrations.ts";
import { openToServers } from "../../tools/dev-servers/data-folders.ts";
import { startServers } from "../../tools/dev-servers/servers.ts";

const USAGE = `npm run fuzz [-- --requests 20000] [--seed N] [--contract FILE]
Sends requests made from an OpenAPI document (the engine's own unless another is there; valid, nearly valid, absurd) to an engine of its own, on servers of its own, and judges every answer:
no 5xx but an honest 503, none later than 5 s, each with a documented status and the body the contract promises. Exit code 1 where one is not so.`;

/** The contract lies beside a checkout of the project, not in it. */
const CONTRACT = fileURLToPath(new URL("../../../shared/api/openapi.yaml", import.meta.url));
const CREDENTIALS = { email: "fuzz@example.com", password: "seventeen violet umbrellas" };
const BUYERS = 10;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "20000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
      contract: { type: "string", ...(existsSync(CONTRACT) && { default: CONTRACT }) },
    },
  });
  const [requests, seed] = [Number(values.requests), Number(values.seed)];
  if (
    !Number.isInteger(requests) ||
    requests < 1 ||
    !Number.isInteger(seed) ||
    (values.contract !== undefined && !existsSync(values.contract))
  ) {
    console.error(USAGE);
    return 1;
  }
  const dataDir = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-fuzz-")));
  const report = (line: string): void => console.log(`fuzz: ${line}`);
  const servers = await startServers({ dataDir, report, restart: false, throwaway: true });
  try {
    // What configures an engine at this keyboard must not configure this one.
    const outside = Object.entries(processEnvironment()).filter(([name]) => !(name in VARIABLES));
    const more = {
      PORT: "0",
      DATA_DIR: dataDir,
      RATE_LIMITS: "off",
      LOG_LEVEL: "error",
      AUDIT_FILE: join(dataDir, "audit.log"),
    };
    const config = readConfig({ ...Object.fromEntries(outside), ...servers.urls, ...more });
    await migrate(servers.urls.DATABASE_URL ?? "");
    const node = await startNode(config);
    try {
      const url = node.url ?? "";
      await ensureDemoCatalogue(
        node.broker,
        createInternalTokenMint(config.internalTokenSecret)(OPERATOR),
        Date.now(),
      );
      const page = (await (await fetch(`${url}/api/events?limit=20`)).json()) as {
        items: { id: string }[];
      };
      const served = readContract(await (await fetch(`${url}/api/openapi.json`)).text());
      const contract =
        values.contract === undefined
          ? served
          : readContract(readFileSync(values.contract, "utf8"));
      const tokens = await Promise.all(
        Array.from({ length: BUYERS }, (_, index) => signedUp(url, index)),
      );
      const began = performance.now();
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
        `${result.sent} requests in ${Math.round((performance.now() - began) / 1_000)} s, seed ${seed}; slowest ${Math.round(result.slowestMs)} ms`,
      );
      console.table(result.statuses);
      if (result.absent.length > 0) report(`not built yet: ${result.absent.join(", ")}`);
      for (const fault of result.faults) console.error(`\n${fault}`);
      report(
        result.faults.length === 0
          ? "every answer is as the contract says"
          : `${result.faults.length} kinds of answers are not`,
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

/** The first account is the one whose password the requests know. */
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

process.exitCode = await main();
