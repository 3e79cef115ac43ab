// Every subcommand describes itself without doing anything, and refuses what it does not know.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { COMMANDS } from "../../cli/command-list.ts";
import { createProgram, exitCodeOf } from "../../cli/create-program.ts";
import { generatedPages } from "../../cli/commands/development/docs.ts";
import { processEnvironment } from "../../config/index.ts";
import { ROOT } from "../../tools/root.ts";
import { BOXOFFICE, type Ended, runBoxoffice } from "../support/processes/boxoffice.ts";
import { temporaryFolder } from "../support/processes/processes.ts";

const { folder, remove } = temporaryFolder();
const DATA_DIR = join(folder, "data");

type Ran = { code: number; out: string; error: string };

/** Reads a command line in this process. Only one that is refused or asks for help may be given. */
async function parse(line: string): Promise<Ran> {
  let [out, error] = ["", ""];
  const program = await createProgram(() => true, {
    writeOut: (text) => (out += text),
    writeErr: (text) => (error += text),
  });
  try {
    await program.parseAsync(line.split(" ").filter(Boolean), { from: "user" });
    return { code: 0, out, error };
  } catch (thrown) {
    return { code: exitCodeOf(thrown) ?? assert.fail(String(thrown)), out, error };
  }
}

/** Runs the launcher in a process of its own. */
function boxoffice(line: string, variables: Record<string, string> = {}): Promise<Ended> {
  const { PATH } = processEnvironment();
  const environment = { PATH, HOME: folder, DATA_DIR, PORT: "0", ...variables };
  return runBoxoffice(environment, line.split(" ").filter(Boolean));
}

const NESTED = ["user grant", "keys rotate", "ledger replay", "chaos mutants", "security report"];
const LINES = [...COMMANDS.map(({ name }) => name), ...NESTED];

describe("boxoffice", () => {
  after(remove);

  it("lists every subcommand with --help, and without arguments", async () => {
    for (const line of ["--help", ""]) {
      const { code, out, error } = await parse(line);
      assert.deepEqual([code, error], [0, ""]);
      for (const { name, summary } of COMMANDS)
        assert.match(out, new RegExp(`^ +${name} +${summary}$`, "m"));
    }
  });

  it("describes every subcommand with --help", async () => {
    for (const line of LINES) {
      const { code, out, error } = await parse(`${line} --help`);
      assert.deepEqual([code, error], [0, ""], line);
      assert.match(out, new RegExp(`^Usage: boxoffice ${line}`));
      assert.match(out, /-h, --help/);
      if (!line.includes(" ")) assert.match(out, new RegExp(`npx boxoffice ${line}`), "an example");
    }
  });

  it("refuses an unknown option of every subcommand in one line, with 2", async () => {
    for (const line of ["", ...LINES]) {
      const { code, out, error } = await parse(`${line} --wrong`);
      assert.deepEqual([code, out], [2, ""], line);
      assert.match(error, /^error: unknown option '--wrong'[^\n]*\n$/, line);
    }
  });

  it("refuses unknown commands and arguments in one line, with 2", async () => {
    const lines = [
      "wrong",
      "start now",
      "node 1",
      "migrate up",
      "user wrong",
      "user list all",
      "ledger discard x",
      "cluster --api many",
      "chaos --minutes 0",
      "bench",
      "bench rush rush",
      "bench wrong",
      "bench hot-event --only thieves",
      "test no-such-file",
      "restore",
      "kubernetes-images",
    ];
    for (const line of lines) {
      const { code, error } = await parse(line);
      assert.equal(code, 2, `${line}: ${error}`);
      assert.match(error, /^error: [^\n]+\n$/, line);
    }
  });

  it("ends its process with these exit codes, and does nothing", async () => {
    const help = await boxoffice("start --help");
    assert.deepEqual(
      [help.code, help.error, help.out.split("\n")[0]],
      [0, "", "Usage: boxoffice start [options]"],
    );
    assert.equal((await boxoffice("user")).code, 2);
    const wrong = await boxoffice("node --wrong");
    assert.deepEqual([wrong.code, wrong.out], [2, ""]);
    assert.ok(!existsSync(DATA_DIR));
  });

  it("says a problem that the person can mend without a stack trace, with 1", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as { port: number };
    const cases: [string, Record<string, string>, RegExp][] = [
      ["start", { PORT: String(port) }, new RegExp(`^Port ${port} of 127.0.0.1 is taken`)],
      ["start", { PORT: "door" }, /PORT is "door"; give a whole number/],
      ["start", { DATA_DIR: join(BOXOFFICE, "data") }, /DATA_DIR is .*cannot be used/],
      // Node's recursive mkdir would never return.
      ["start", { DATA_DIR: "/proc/1/none/data" }, /DATA_DIR is .*cannot be used/],
      ["migrate", {}, /^DATABASE_URL is missing/],
      ["user list", {}, /^No engine runs with its data in/],
      ["repl", {}, /^No engine runs with its data in/],
      ["backup --list", { DATA_DIR: join(BOXOFFICE, "data") }, /DATA_DIR is .*cannot be used/],
      ["kubernetes-secrets moon", {}, /^There is no overlay moon/],
    ];
    for (const [line, variables, message] of cases) {
      const { code, out, error } = await boxoffice(line, variables);
      assert.deepEqual([code, out.includes("is up on port")], [1, false], `${line}: ${error}`);
      assert.match(error, message, line);
      assert.doesNotMatch(error, /\n\s+at /, line);
    }
    await new Promise((resolve) => holder.close(resolve));
  });

  it("names a server that cannot be reached in one line, with 1", async () => {
    const DATABASE_URL = "postgres://boxoffice:secret@127.0.0.1:1/none";
    for (const command of ["migrate", "retention --dry-run"]) {
      const { code, error } = await boxoffice(command, { DATABASE_URL });
      assert.deepEqual(
        [code, error.trim()],
        [
          1,
          "A server cannot be reached (is it running, is its URL right?): " +
            "connect ECONNREFUSED 127.0.0.1:1",
        ],
        command,
      );
    }
  });

  it("is described by generated pages (npx boxoffice docs)", async () => {
    for (const [file, text] of Object.entries(await generatedPages()))
      assert.equal(readFileSync(join(ROOT, file), "utf8"), text, file);
  });
});
