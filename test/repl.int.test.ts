// npm run repl on a running engine, by lines from a pipe: what an operator may ask is answered, each line in turn.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { requireServers } from "../config.ts";
import { writeEngineFile } from "../scripts/engine-file.ts";
import { type Engine, startEngine } from "./support/engine.ts";

const COMMAND = fileURLToPath(new URL("../scripts/repl.ts", import.meta.url));

describe("npm run repl", () => {
  let engine: Engine;
  let environment: Record<string, string>;
  let forget: () => void;
  before(async () => {
    engine = await startEngine({ SERVICES: "ledger,purchasing" });
    const { databaseUrl, redisUrl, amqpUrl, transporter } = requireServers(engine.config);
    const urls = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, AMQP_URL: amqpUrl, TRANSPORTER: transporter };
    const { dataDir, namespace } = engine.config;
    forget = writeEngineFile(dataDir, { nodeId: "node-1", address: undefined, urls, prometheusUrl: undefined });
    // Its history goes to the home folder.
    environment = { DATA_DIR: dataDir, BUS_NAMESPACE: namespace, HOME: dataDir };
  });
  after(async () => {
    forget();
    await engine.close();
  });

  async function repl(
    lines: string[],
    more: Record<string, string> = {},
  ): Promise<{ code: number | null; output: string; errors: string }> {
    const child = spawn(process.execPath, [COMMAND], { env: { ...environment, ...more } });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.stdin.on("error", () => undefined).end(lines.map((line) => `${line}\n`).join(""));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output: stripVTControlCharacters(output), errors };
  }

  it("answers as to an operator, in turn, and leaves with q", async () => {
    const { code, output, errors } = await repl(["call ledger.status", "call ledger.reconcile", "call purchasing.workers", "nodes", "q"]);
    assert.equal(errors, "");
    assert.equal(code, 0);
    assert.match(
      output,
      /Call 'ledger\.status'[^]*pendingRows: 0[^]*Call 'ledger\.reconcile'[^]*events: 0, [^]*Call 'purchasing\.workers'[^]*items: \[\]/,
    );
    assert.match(output, /║ node-1-[^]*║ repl-/);
    assert.doesNotMatch(output, /ok: false|eyJ|undefined/, "nothing is refused, no token is shown, and nothing but answers");
  });

  it("answers the last line of a pipe that ends without q", async () => {
    const { code, output } = await repl(["call ledger.status"]);
    assert.equal(code, 0);
    assert.match(output, /pendingRows: 0/);
  });

  it("says what to do where no engine runs", async () => {
    const { code, errors } = await repl([], { DATA_DIR: `${engine.config.dataDir}/elsewhere` });
    assert.equal(code, 1);
    assert.match(errors, /^No engine runs with its data in .*\. Run npm start first/);
  });
});
