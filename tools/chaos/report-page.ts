import { revisionLine } from "../documents/revision.ts";
import { type ChaosReport, detailsOf, rowOf } from "./table.ts";

/** Returns docs/reliability.md from the JSON of runs. */
export function reliabilityPage(matrix: ChaosReport, soak: ChaosReport | undefined): string {
  const sections = [sectionOf("The faults", "npx boxoffice chaos", matrix)];
  if (soak !== undefined) sections.push(sectionOf("The soak", "npx boxoffice chaos --soak", soak));
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

const INTRODUCTION = `# Reliability

Results of \`npx boxoffice chaos\`. It plays faults against a cluster of separate processes on
private servers, under load. It compares what each customer received with the rows of PostgreSQL.

| | invariant |
| --- | --- |
| I1 | An event never has more tickets than places, a customer never more than the limit. |
| I2 | An answered purchase exists once, an unknown one at most once, a refused one never. |
| I3 | A cancellation frees one place, once. |
| I4 | Capacity, rows not booked, tickets and the copy in Redis agree. |
| I5 | The ledger's sum equals purchases minus cancellations. |
| I6 | Selling out afterwards sells exactly the remaining places. |
| I7 | Queue, dead letters and outbox are empty within 30 s of quiet. |
| I9 | A ticket that was listed once does not disappear. |
| I10 | One order of operations, true to real time, explains every 201, 409 and list. |
| I11 | A key that was answered as sold is never answered TRY_AGAIN. |
| I12 | What the ownership row has left to sell equals places minus tickets. |
| I13 | A slow event does not slow the others: F24 compares their purchases. |

I8, availability, is measured and has no fixed bound:

- A *good* answer is one of an ordinary day: 2xx, or a 409 that was due. A 503 is not good.
- *Recovered after* is the time from the end of the fault to the last bad answer. It starts with
  the fault where the engine continues during the fault.

F20 was run by itself: [ADR-0103](decisions/0103-a-synchronous-standby-by-patroni.md). F21
and F22: [ADR-0105](decisions/0105-what-is-committed-stays.md).
`;

function sectionOf(title: string, command: string, report: ChaosReport): string {
  const rows = report.faults.map(rowOf);
  const columns = Object.keys(rows[0] ?? {});
  const lines = [
    columns,
    columns.map(() => "---"),
    ...rows.map((row) => columns.map((column) => (row[column] ?? "").replaceAll("|", "\\|"))),
  ];
  const details = report.faults.flatMap(detailsOf).map((line) => `- ${line}`);
  const { seed, revision, began: date } = report;
  const origin = revisionLine(`${command} --seed ${seed}`, { revision, date });
  return `## ${title}

${origin}
Started at ${report.began}, took ${report.minutes} minutes, on ${report.machine}.

${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}

${details.join("\n")}
`;
}
