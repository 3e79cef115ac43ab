import { revisionLine } from "../documents/revision.ts";
import type { RequestCoverage } from "./measured-requests.ts";

export const COVERAGE_COMMAND = "npx boxoffice coverage --write";

/** Returns the functions of each file, in the order of the files' names. */
export function byFile({ functions }: RequestCoverage): [file: string, functions: string[]][] {
  const files = Object.groupBy(functions, (name) => name.split("\t")[0] ?? "");
  return Object.entries(files).map(([file, names = []]) => [
    file,
    names.map((name) => name.split("\t")[1]?.replace(/^$/, "(anonymous)") ?? "(anonymous)"),
  ]);
}

/** Returns docs/request-coverage.md. */
export function coveragePage(requests: readonly RequestCoverage[]): string {
  const rows = requests.map((request) => {
    const { title, filesMax, functions } = request;
    return `| ${title} | ${byFile(request).length} | ${filesMax ?? ""} | ${functions.length} |`;
  });
  return `# What one request runs

Files and functions of the engine that run for one request on a warm engine: all services in one
process, real servers, default settings. V8's precise coverage counts the calls. A function counts
if it ran in every sample and more often than in an idle interval of the same length.

${revisionLine(COVERAGE_COMMAND)}

| request | files | at most | functions |
| --- | --- | --- | --- |
${rows.join("\n")}

${requests.map(sectionOf).join("\n")}`;
}

function sectionOf(request: RequestCoverage): string {
  const rows = byFile(request).map(([file, names]) => `| \`${file}\` | ${names.length} |`);
  return `## ${request.title}

\`${request.request}\`

| file | functions |
| --- | --- |
${rows.join("\n")}
`;
}

/** Returns the lists for the terminal; `functions`: with the functions of each file. */
export function coverageText(
  requests: readonly RequestCoverage[],
  { functions = false } = {},
): string {
  return requests
    .map((request) => {
      const files = byFile(request);
      const bound = request.filesMax === undefined ? "" : ` (at most ${request.filesMax})`;
      const lines = files.map(([file, names]) =>
        functions ? `  ${file}\n    ${names.join(", ")}` : `  ${file} (${names.length})`,
      );
      const counts = `${files.length} files${bound}, ${request.functions.length} functions`;
      return [`${request.title}: ${counts}`, ...lines].join("\n");
    })
    .join("\n\n");
}
