import { writeFileSync } from "node:fs";
import { join } from "node:path";
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
export async function measureCoverage({
  write = false,
  functions = false,
}: {
  write?: boolean;
  functions?: boolean;
} = {}): Promise<number> {
  const report = (line: string): void => console.error(`coverage: ${line}`);
  const counter = startFunctionCounter();
  let requests: RequestCoverage[] = [];
  await withEngine({ customers: CUSTOMERS, report }, async (engine) => {
    requests = await measureRequests(engine, counter);
  });
  counter.stop();
  console.log(coverageText(requests, { functions }));
  if (write) {
    writeFileSync(PAGE, coveragePage(requests));
    report("written to docs/request-coverage.md");
  }
  const over = requests.filter(
    (request) => request.filesMax !== undefined && byFile(request).length > request.filesMax,
  );
  for (const { title, filesMax } of over) report(`${title}: more than ${filesMax} files`);
  return over.length === 0 ? 0 : 1;
}
