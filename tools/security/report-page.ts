import { revisionLine } from "../documents/revision.ts";
import { SECURITY_LINES, idsOf } from "./checklist.ts";
import type { Outcome } from "./reporter.ts";

/** docs/security.md from what a run said, and the lines that do not hold or that no test tried. */
export function securityPage(
  outcomes: readonly Outcome[],
  day: string,
): { page: string; missing: string[] } {
  const missing: string[] = [];
  const rows = Object.entries(SECURITY_LINES).map(([id, text]) => {
    const tests = outcomes.filter(({ title }) => idsOf(title).includes(id));
    if (
      !tests.some(({ outcome }) => outcome === "pass") ||
      tests.some(({ outcome }) => outcome === "fail")
    )
      missing.push(id);
    const names = tests.map(
      ({ title, file, outcome }) => `${mark(outcome)} ${cell(title)} (\`${file}\`)`,
    );
    return `| ${id} | ${text} | ${names.join("<br>") || "no test"} | ${missing.includes(id) ? "**fail**" : "pass"} |`;
  });
  const failed = missing.length === 0 ? "All hold." : `These do not hold: ${missing.join(", ")}.`;
  const page = [
    "# The security checklist",
    "",
    `${revisionLine("npx boxoffice security", { date: day })} Node ${process.version}.`,
    "",
    `${failed} The tests send HTTP requests to a running engine where that is possible.`,
    "[SECURITY.md](../SECURITY.md) says what is promised, what is not, and against which attackers.",
    "",
    "| line | must hold | tests | result |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
  return { page, missing };
}

function mark(outcome: Outcome["outcome"]): string {
  return { pass: "✔", fail: "✖", skipped: "–" }[outcome];
}

/** The title without its ids, fit for a cell of a table. */
function cell(title: string): string {
  return title.replace(/^[^:]*: /, "").replaceAll("|", "\\|");
}
