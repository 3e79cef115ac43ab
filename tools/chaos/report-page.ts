import { type ChaosReport, detailsOf, rowOf } from "./table.ts";

/** docs/reliability.md, written from the JSON of a run and never by hand. */
export function reliabilityPage(matrix: ChaosReport, soak: ChaosReport | undefined): string {
  return (
    `# Reliability

What breaks, and what still held: a run of \`npm run chaos\`, which plays every fault against a cluster of separate processes on
servers of its own, under load, and compares what each customer saw with what PostgreSQL has. Written by \`npm run chaos -- --write\`.

The invariants: **I1** never more tickets than places, nor a customer's than the limit; **I2** an answered purchase is there once, an unknown one once or not at all, a refused one not;
**I3** a cancellation frees one place, once; **I4** capacity, rows not booked, tickets and Redis' copy agree; **I5** the ledger's sum is purchases less cancellations;
**I6** selling out afterwards sells exactly the rest; **I7** nothing is left in queue, dead letters or outbox within 30 s of quiet; **I9** a ticket
once listed never disappears. **I8** is measured: *good* is an answer as on an ordinary day (2xx, or 409 as an expected no; a 503 is not), *recovered*
is the time from the fault's end, or its beginning where the engine itself goes on, to the last bad answer.

${sectionOf("The faults", "npm run chaos --", matrix)}
${soak === undefined ? "" : sectionOf("The soak", "npm run chaos -- --soak", soak)}`.trimEnd() +
    "\n"
  );
}

function sectionOf(title: string, command: string, report: ChaosReport): string {
  const rows = report.faults.map(rowOf);
  const columns = Object.keys(rows[0] ?? {});
  const lines = [
    columns,
    columns.map(() => "---"),
    ...rows.map((row) => columns.map((column) => (row[column] ?? "").replaceAll("|", "\\|"))),
  ];
  const details = report.faults.flatMap(detailsOf).map((line) => `- ${line}`);
  return `## ${title}

\`${command} --seed ${report.seed}\`, begun ${report.began}, ${report.minutes} minutes, on ${report.machine}.

${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}

${details.join("\n")}
`;
}
