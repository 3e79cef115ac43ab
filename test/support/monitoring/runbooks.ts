import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rule } from "../../../tools/monitoring/rule-files.ts";
import { ROOT } from "../../../tools/root.ts";

const PARTS = ["Means", "Look", "Mend", "Over", "Call"] as const;
type Part = Lowercase<(typeof PARTS)[number]>;
/** One runbook by its parts; `looks` and `mends` are the commands of Look and Mend. */
export type Runbook = Record<Part, string> & {
  url: string;
  looks: readonly string[];
  mends: readonly string[];
};
/** By the name of the alert. */
export type Runbooks = ReadonlyMap<string, Runbook>;

/** Reads docs/runbooks: a heading of the second level for each alert. */
export function readRunbooks(): Runbooks {
  const runbooks = new Map<string, Runbook>();
  for (const page of globSync("docs/runbooks/*.md", { cwd: ROOT }).sort()) {
    if (page.endsWith("README.md")) continue;
    const text = readFileSync(join(ROOT, page), "utf8");
    for (const section of text.split(/^## /m).slice(1)) {
      const name = section.split("\n")[0] ?? "";
      runbooks.set(name, { url: `${page}#${name.toLowerCase()}`, ...partsOf(section) });
    }
  }
  return runbooks;
}

function partsOf(section: string): Omit<Runbook, "url"> {
  const pieces = new Map<string, string>();
  for (const piece of section.split(/^(?=\*\*[A-Z]\w+\.\*\*)/m).slice(1)) {
    const [, part = "", text = ""] = /^\*\*(\w+)\.\*\*\s*([\s\S]*)$/.exec(piece) ?? [];
    pieces.set(part, text.trim());
  }
  const of = (part: (typeof PARTS)[number]): string => pieces.get(part) ?? "";
  return {
    means: of("Means"),
    look: of("Look"),
    mend: of("Mend"),
    over: of("Over"),
    call: of("Call"),
    looks: commandsIn(of("Look")),
    mends: commandsIn(of("Mend")),
  };
}

const commandsIn = (text: string): string[] =>
  [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    block.split("\n").filter((line) => line.trim() !== ""),
  );

/** Says what an alert lacks for the person who is woken by it. */
export function alertProblems(
  { alert = "", labels = {}, annotations = {} }: Rule,
  runbooks: Runbooks,
): string[] {
  const { summary = "", description = "", runbook_url } = annotations;
  const runbook = runbooks.get(alert);
  const problems = [
    /^(?:page|ticket|heartbeat)$/.test(labels.severity ?? "") ? "" : "severity",
    summary === "" ? "no summary" : "",
    description.includes("$value") ? "" : "the description has no $value",
    /instance/i.test(description) ? "" : "the description names no instance",
  ];
  if (runbook === undefined) problems.push("no runbook in docs/runbooks");
  else {
    if (runbook_url !== runbook.url) problems.push(`runbook_url is not ${runbook.url}`);
    for (const part of PARTS)
      if (runbook[part.toLowerCase() as Part] === "") problems.push(`no ${part}`);
    if (runbook.looks.length === 0) problems.push("no Look that is a command");
  }
  return problems.filter((problem) => problem !== "").map((problem) => `${alert}: ${problem}`);
}

/** Finds names of Kubernetes objects, in commands of kubectl, that no manifest has. */
export function unknownObjects(runbooks: Runbooks): string[] {
  const manifests = globSync("kubernetes/**/*.yaml", { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .join("\n");
  const known = (name: string): boolean => new RegExp(`name"?: ${name}(?![\\w-])`).test(manifests);
  return [...runbooks].flatMap(([alert, { looks, mends }]) =>
    [...looks, ...mends]
      .filter((line) => line.startsWith("kubectl "))
      .flatMap((line) =>
        [...line.matchAll(OBJECT)].map((match) => match.slice(1).find(Boolean) ?? ""),
      )
      .filter((name) => !known(name))
      .map((name) => `${alert}: ${name}`),
  );
}
const OBJECT =
  /(?:deployment|statefulset|service|cronjob|job)\/([\w-]+)|\b(?:pod|exec|logs) ([a-z]+)-0\b|name=([\w-]+)/g;

/** Commands that only read. */
const READS = [
  /^kubectl -n boxoffice (?:get|describe|logs|top) /,
  /^kubectl -n boxoffice exec \w+-0 -- (?:df|rabbitmq-diagnostics) /,
  /^promtool query instant "\$PROMETHEUS" '[^']+'$/,
  /^psql "\$DATABASE_URL" -c "SELECT [^;]+"$/,
  /^redis-cli -u "\$REDIS_URL" --no-auth-warning INFO memory$/,
  /^curl -sv? "\$GATEWAY\/healthz"$/,
  /^boxoffice ledger (?:dead-letters|reconcile)$/,
  /^boxoffice mail list$/,
];

/** Finds commands of Look that may change something. */
export function strangeLooks(runbooks: Runbooks): string[] {
  return [...runbooks].flatMap(([name, { looks }]) =>
    looks
      .filter((line) => !READS.some((reads) => reads.test(line)))
      .map((line) => `${name}: ${line}`),
  );
}
