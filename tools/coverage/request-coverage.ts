import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../root.ts";
import { byFile, coveragePage, coverageText } from "./coverage-page.ts";
import { startFunctionCounter } from "./function-counts.ts";
import { withEngine } from "./measured-engine.ts";
import { CUSTOMERS, measureRequests, type RequestCoverage } from "./measured-requests.ts";

const PAGE = join(ROOT, "docs", "request-coverage.md");

/**
 * Prints which files and functions of the engine run for single requests.
 * Returns the exit code: 1 if a request runs through more files than its bound.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { write: { type: "boolean" }, functions: { type: "boolean" } },
  });
  const report = (line: string): void => console.error(`coverage: ${line}`);
  const counter = startFunctionCounter();
  let requests: RequestCoverage[] = [];
  await withEngine({ customers: CUSTOMERS, report }, async (engine) => {
    requests = await measureRequests(engine, counter);
  });
  counter.stop();
  console.log(coverageText(requests, { functions: values.functions === true }));
  if (values.write === true) {
    writeFileSync(PAGE, coveragePage(requests));
    report("written to docs/request-coverage.md");
  }
  const over = requests.filter(
    (request) => request.filesMax !== undefined && byFile(request).length > request.filesMax,
  );
  for (const { title, filesMax } of over) report(`${title}: more than ${filesMax} files`);
  return over.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
