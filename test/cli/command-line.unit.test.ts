// Every subcommand describes itself without doing anything, and refuses what it does not know.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { COMMANDS } from "../../cli/command-list.ts";
import { generatedPages } from "../../cli/commands/development/docs.ts";
import { ROOT } from "../../tools/root.ts";
import { BOXOFFICE } from "../support/boxoffice.ts";
import { temporaryFolder } from "../support/processes.ts";

const { folder, remove } = temporaryFolder();
const DATA_DIR = join(folder, "data");

type Ran = { code: number; out: string; error: string };

function boxoffice(args: readonly string[], variables: Record<string, string> = {}): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: folder, DATA_DIR, PORT: "0", ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, [BOXOFFICE, ...args], { env }, (error, out, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, error: stderr }),
    );
  });
}

const NESTED = ["user grant", "keys rotate", "ledger replay", "chaos mutants", "security report"];

describe("boxoffice", () => {
  after(remove);

  it("lists every subcommand with --help, and without arguments", async () => {
    for (const args of [["--help"], []]) {
      const { code, out, error } = await boxoffice(args);
      assert.deepEqual([code, error], [0, ""]);
      for (const { name, summary } of COMMANDS)
        assert.match(out, new RegExp(`^ +${name} .*${summary.replaceAll(/[.,]/g, ".")}`, "m"));
    }
  });

  for (const line of [...COMMANDS.map(({ name }) => name), ...NESTED])
    it(`describes ${line} with --help, and does nothing`, async () => {
      const { code, out, error } = await boxoffice([...line.split(" "), "--help"]);
      assert.deepEqual([code, error], [0, ""]);
      assert.match(out, new RegExp(`^Usage: boxoffice ${line}`));
      assert.match(out, /-h, --help/);
      if (!line.includes(" ")) assert.match(out, new RegExp(`npx boxoffice ${line}`), "an example");
      assert.ok(!existsSync(DATA_DIR));
    });

  for (const line of ["", ...COMMANDS.map(({ name }) => name), ...NESTED])
    it(`refuses an unknown option of ${line || "the program"} in one line, with 2`, async () => {
      const { code, out, error } = await boxoffice([...line.split(" ").filter(Boolean), "--wrong"]);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(error, /^error: unknown option '--wrong'[^\n]*\n$/);
      assert.ok(!existsSync(DATA_DIR));
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
      "bench rush rush",
      "bench wrong",
      "bench hot-event --only thieves",
      "test no-such-file",
      "restore",
    ];
    for (const line of lines) {
      const { code, error } = await boxoffice(line.split(" "));
      assert.equal(code, 2, `${line}: ${error}`);
      assert.match(error, /^error: [^\n]+\n$/, line);
    }
  });

  it("says a problem that the person can mend without a stack trace, with 1", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as { port: number };
    const cases: [string, Record<string, string>, RegExp][] = [
      ["start", { PORT: String(port) }, new RegExp(`^Port ${port} of 127.0.0.1 is taken`)],
      ["start", { PORT: "door" }, /PORT is "door"; give a whole number/],
      ["start", { DATA_DIR: "/proc/none" }, /^.*\/proc\/none.*DATA_DIR/ms],
      ["migrate", {}, /^DATABASE_URL is missing/],
      ["user list", {}, /^No engine runs with its data in/],
      ["repl", {}, /^No engine runs with its data in/],
      ["backup --list", { DATA_DIR: "/proc/none" }, /DATA_DIR/],
      ["kubernetes-secrets moon", {}, /^There is no overlay moon/],
    ];
    for (const [line, variables, message] of cases) {
      const { code, out, error } = await boxoffice(line.split(" "), variables);
      assert.deepEqual([code, out.includes("is up on port")], [1, false], `${line}: ${error}`);
      assert.match(error, message, line);
      assert.doesNotMatch(error, /\n\s+at /, line);
    }
    await new Promise((resolve) => holder.close(resolve));
  });

  it("is described by generated pages (npx boxoffice docs)", async () => {
    for (const [file, text] of Object.entries(await generatedPages()))
      assert.equal(readFileSync(join(ROOT, file), "utf8"), text, file);
  });
});
