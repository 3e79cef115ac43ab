// The commands of the runbooks that look are run as they are written, on a running engine with a
// Prometheus. Those of kubectl need a cluster; test/monitoring/alerts.unit.test.ts reads them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { type Prometheus, startPrometheus } from "../../tools/monitoring/prometheus.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { providePrometheus } from "../support/monitoring/rules.ts";
import { readRunbooks } from "../support/monitoring/runbooks.ts";
import { BOXOFFICE } from "../support/processes/boxoffice.ts";
import { processEnvironment } from "../../config/index.ts";
import { waitFor } from "../support/wait-for.ts";

const programs = await providePrometheus();
const skip = typeof programs === "string" ? programs : false;
const looks = [...readRunbooks()].flatMap(([alert, { looks }]) =>
  looks.filter((line) => !line.startsWith("kubectl ")).map((line) => ({ alert, line })),
);

describe("runbooks", { skip }, () => {
  let engine: Engine;
  let prometheus: Prometheus;
  let folder: string;

  before(async () => {
    const port = await freePort();
    engine = await startEngine({ METRICS_PORT: String(port) });
    folder = mkdtempSync(join(tmpdir(), "boxoffice-runbooks-"));
    prometheus = await startPrometheus({
      program: typeof programs === "string" ? "" : programs.prometheus,
      folder,
      intervalS: 1,
      targets: [{ job: "boxoffice", url: `http://127.0.0.1:${port}/metrics` }],
    });
    await waitFor(async () => (await prometheus.query("up == 1")).length === 1);
  });
  after(async () => {
    await prometheus.stop();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a line in the shell of a person on call. */
  async function run(line: string): Promise<{ code: number | null; said: string }> {
    const shell = spawn("bash", ["-euc", `boxoffice() { "$NODE" "$PROGRAM" "$@"; }\n${line}`], {
      env: {
        PATH: processEnvironment().PATH,
        ...engine.environment,
        DATABASE_URL: engine.ownerUrl,
        PROMETHEUS: prometheus.url,
        GATEWAY: engine.url,
        NODE: process.execPath,
        PROGRAM: BOXOFFICE,
        OPERATOR_TOKEN: engine.accessToken(undefined, "operator"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [shell.stdout, shell.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [code] = (await once(shell, "close")) as [number | null];
    return { code, said };
  }

  it("look with commands that work", async () => {
    assert.ok(looks.length > 60, `${looks.length} commands`);
    const failed: string[] = [];
    for (const line of new Set(looks.map(({ line }) => line))) {
      const { code, said } = await run(line);
      if (code !== 0 || /Error|error:/.test(said)) failed.push(`${line}\n${said}`);
    }
    assert.deepEqual(failed, []);
  });

  it("are found wrong where they are wrong", async () => {
    for (const line of [
      `psql "$DATABASE_URL" -c "SELECT no_such_column FROM event"`,
      `promtool query instant "$PROMETHEUS" 'sum(('`,
      "boxoffice ledger no-such-command",
    ])
      assert.notEqual((await run(line)).code, 0, line);
  });
});
