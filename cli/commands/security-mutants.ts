import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnvironment } from "../../config/index.ts";
import { copyTree, takeOut } from "../../tools/testing/mutated-copy.ts";
import type { Mutant } from "../../tools/security/mutant.ts";
import { runInCopy } from "../../tools/security/mutant-run.ts";
import { mutantsPart, mutantsSection } from "../../tools/security/mutants-report.ts";
import { MUTANTS } from "../../tools/security/mutants.ts";
import { type Title, readTitles, titleOf } from "../../tools/security/titles.ts";
import { openToServers } from "../../tools/dev-servers/data-folders.ts";
import { runToEnd } from "../../tools/process/run-to-exit.ts";
import { secondsSince } from "../../tools/dev-servers/server-problem.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";
import {
  startTestServers,
  testEnvironment,
  type TestServers,
} from "../../tools/testing/test-servers.ts";
import { buildWebApp } from "../../tools/web-build/build.ts";

const PAGE = join(ROOT, "docs", "security.md");
const USAGE = `npm run security-mutants [-- WORD…]
Takes out each protection of the security checklist in a copy of the code (tools/security/mutants-*.ts) and runs the test that must notice: it must
pass with the protection and fail without. Tells of it in docs/security.md. WORD: the id of a line, or a part of what is taken out.`;

const report = (line: string): void => console.log(`mutants: ${line}`);
const abort = new AbortController();

/** Answers the exit code: 1 where a test did not notice. */
async function main(words: readonly string[]): Promise<number> {
  const wanted = MUTANTS.filter(
    ({ id, without }) =>
      words.length === 0 || words.some((word) => id === word || without.includes(word)),
  );
  if (wanted.length === 0) {
    console.error(USAGE);
    return 1;
  }
  const titles = readTitles();
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-mutants-")));
  const servers = await startTestServers({ report, abort: abort.signal, keep: false, start: true });
  try {
    await buildWebApp(report, { environment: processEnvironment(), abort: abort.signal });
    copyTree(folder);
    const passing = await passingAsItIs(folder, wanted, titles, servers);
    const faults: string[] = [];
    const seen = new Set<Mutant>();
    for (const mutant of wanted) {
      const began = performance.now();
      const fault = await unnoticed(folder, mutant, titles, passing, servers);
      if (fault === undefined) seen.add(mutant);
      else faults.push(fault);
      writePage(seen, titles);
      report(
        `${fault === undefined ? "noticed" : "NOT NOTICED"} (${secondsSince(began)}): ${mutant.id} without ${mutant.without}`,
      );
    }
    for (const fault of faults) console.error(`\n${fault}`);
    report(`${seen.size} of ${wanted.length} noticed`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** With every protection in its place a test must pass, or its failing would prove nothing. Answers the titles of those that do. */
async function passingAsItIs(
  folder: string,
  wanted: readonly Mutant[],
  titles: readonly Title[],
  servers: TestServers,
): Promise<Set<string>> {
  const needed = new Set(wanted.map(({ noticedBy }) => titleOf(titles, noticedBy)));
  const passing = new Set<string>();
  for (const [file, ofFile] of Map.groupBy(needed, (title) => title.file)) {
    const { outcomes, said } = await runInCopy(
      folder,
      file,
      ofFile,
      testEnvironment(servers),
      abort.signal,
    );
    abort.signal.throwIfAborted();
    for (const { title, outcome } of outcomes) if (outcome === "pass") passing.add(title);
    const failing = ofFile.filter(({ title }) => !passing.has(title));
    report(`as it is, ${ofFile.length - failing.length} of ${ofFile.length} tests of ${file} pass`);
    if (failing.length > 0) console.error(said);
  }
  return passing;
}

/** Undefined where the test failed, by itself and not because nothing could be started; else what is wrong. */
async function unnoticed(
  folder: string,
  mutant: Mutant,
  titles: readonly Title[],
  passing: ReadonlySet<string>,
  servers: TestServers,
): Promise<string | undefined> {
  const title = titleOf(titles, mutant.noticedBy);
  const what = `${mutant.id} without ${mutant.without}`;
  if (!passing.has(title.title)) return `${what}: the test does not pass as it is: ${title.title}`;
  const putBack = takeOut(folder, mutant.edits);
  try {
    const { outcomes, said } = await runInCopy(
      folder,
      title.file,
      [title],
      testEnvironment(servers),
      abort.signal,
    );
    abort.signal.throwIfAborted();
    const found = outcomes.find((one) => one.title === title.title);
    if (
      found?.outcome === "fail" &&
      found.failure !== "hookFailed" &&
      found.failure !== "cancelledByParent"
    )
      return undefined;
    return `${what}: ${found?.failure ?? found?.outcome ?? "not run"}: ${title.title}\n${said}`;
  } finally {
    putBack();
  }
}

function writePage(seen: ReadonlySet<Mutant>, titles: readonly Title[]): void {
  const page = readFileSync(PAGE, "utf8");
  const before = mutantsPart(page);
  const others = page.slice(0, page.length - before.length).trimEnd();
  writeFileSync(
    PAGE,
    `${others}\n\n${mutantsSection(before, MUTANTS, seen, titles, new Date().toISOString().slice(0, 10))}`,
  );
}

runToEnd(main, abort);
