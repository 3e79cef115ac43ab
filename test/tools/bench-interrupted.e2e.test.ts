// Ctrl-C at a benchmark: its servers, engine and load end, and its files are removed.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, it } from "node:test";
import { processEnvironment } from "../../config/index.ts";
import { startProgram, BOXOFFICE } from "../support/processes/boxoffice.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

const { folder, remove } = temporaryFolder();
after(remove);

/** Command lines of running processes that name the folder in their arguments or environment. */
function processesOf(path: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const [command, environment] = ["cmdline", "environ"].map((file) =>
        readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " "),
      );
      return `${command} ${environment}`.includes(path) ? [`${pid}: ${command}`] : [];
    } catch {
      return [];
    }
  });
}

it("Ctrl-C at a benchmark leaves no process and no file behind", async () => {
  const bench = startProgram(
    [process.execPath, BOXOFFICE, "bench", "rush", "--looking", "20", "--buyers", "5"],
    { ...processEnvironment(), TMPDIR: folder },
    { detached: true },
  );
  // Four servers, an engine and a bootstrap come first: half a minute on an idle machine.
  await Promise.race([
    waitFor(() => processesOf(folder).some((line) => line.includes("crowd-process.ts")), {
      withinMs: 240_000,
      what: "The load runs",
    }),
    bench.ended.then(() => assert.fail(bench.said())),
  ]);
  process.kill(-(bench.child.pid ?? assert.fail("no process")), "SIGINT");
  assert.equal(await bench.ended, 130, bench.said());
  await waitFor(() => processesOf(folder).length === 0);
  const left = readdirSync(folder).filter((name) => name.startsWith("boxoffice-bench-"));
  assert.deepEqual(left, []);
});
