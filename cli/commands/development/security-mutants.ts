import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnvironment } from "../../../config/index.ts";
import { openToServers } from "../../../tools/dev-servers/data-folders.ts";
import { secondsSince } from "../../../tools/dev-servers/server-problem.ts";
import { ROOT } from "../../../tools/root.ts";
import { runInCopy } from "../../../tools/security/mutant-run.ts";
import type { Mutant } from "../../../tools/security/mutant.ts";
import { mutantsPart, mutantsSection } from "../../../tools/security/mutants-report.ts";
import { MUTANTS } from "../../../tools/security/mutants.ts";
import { readTitles, type Title, titleOf } from "../../../tools/security/titles.ts";
import { copyTree, takeOut } from "../../../tools/testing/mutated-copy.ts";
import {
  startTestServers,
  testEnvironment,
  type TestServers,
} from "../../../tools/testing/test-servers.ts";
import { buildWebApp } from "../../../tools/web-build/build.ts";

const PAGE = join(ROOT, "docs", "security.md");

const report = (line: string): void => console.log(`mutants: ${line}`);

/** The mutants whose line or description has one of the words; all without words. */
export function mutantsWith(words: readonly string[]): readonly Mutant[] {
  if (words.length === 0) return MUTANTS;
  return MUTANTS.filter(({ id, without }) =>
    words.some((word) => id === word || without.includes(word)),
  );
}

/** Runs each mutant. Returns 1 where a test did not notice. */
export async function runSecurityMutants(
  wanted: readonly Mutant[],
  abort: AbortSignal,
): Promise<number> {
  const titles = readTitles();
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-mutants-")));
  const servers = await startTestServers({ report, abort, keep: false, start: true });
  try {
    await buildWebApp(report, { environment: processEnvironment(), abort });
    copyTree(folder);
    const passing = await passingTests(folder, wanted, titles, servers, abort);
    const faults: string[] = [];
    const seen = new Set<Mutant>();
    for (const mutant of wanted) {
      const startedMs = performance.now();
      const fault = await testMutant(folder, mutant, titles, passing, servers, abort);
      if (fault === undefined) seen.add(mutant);
      else faults.push(fault);
      writePage(seen, titles);
      report(
        `${fault === undefined ? "noticed" : "NOT NOTICED"} (${secondsSince(startedMs)}): ` +
          `${mutant.id} without ${mutant.without}`,
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

/**
 * Returns the titles that pass with every protection: the failure of another would prove nothing.
 */
async function passingTests(
  folder: string,
  wanted: readonly Mutant[],
  titles: readonly Title[],
  servers: TestServers,
  abort: AbortSignal,
): Promise<Set<string>> {
  const needed = new Set(wanted.map(({ noticedBy }) => titleOf(titles, noticedBy)));
  const passing = new Set<string>();
  for (const [file, ofFile] of Map.groupBy(needed, (title) => title.file)) {
    const { outcomes, said } = await runInCopy(
      folder,
      file,
      ofFile,
      testEnvironment(servers),
      abort,
    );
    abort.throwIfAborted();
    for (const { title, outcome } of outcomes) if (outcome === "pass") passing.add(title);
    const failing = ofFile.filter(({ title }) => !passing.has(title));
    report(
      `unchanged, ${ofFile.length - failing.length} of ${ofFile.length} tests of ${file} pass`,
    );
    if (failing.length > 0) console.error(said);
  }
  return passing;
}

/** Undefined where the test itself failed without the protection; else what happened. */
async function testMutant(
  folder: string,
  mutant: Mutant,
  titles: readonly Title[],
  passing: ReadonlySet<string>,
  servers: TestServers,
  abort: AbortSignal,
): Promise<string | undefined> {
  const title = titleOf(titles, mutant.noticedBy);
  const what = `${mutant.id} without ${mutant.without}`;
  if (!passing.has(title.title))
    return `${what}: the test fails with the protection in place: ${title.title}`;
  const putBack = takeOut(folder, mutant.edits);
  try {
    const { outcomes, said } = await runInCopy(
      folder,
      title.file,
      [title],
      testEnvironment(servers),
      abort,
    );
    abort.throwIfAborted();
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
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(PAGE, `${others}\n\n${mutantsSection(before, MUTANTS, seen, titles, day)}`);
}
