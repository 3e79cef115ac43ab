import type { Database } from "../../../../lib/database/pool.ts";
import {
  writeCursor,
  type SearchFilters,
  searchFilters,
  type SearchParams,
} from "../../../../services/catalog/search/search-filters.ts";
import { withEventWords } from "../../../../services/catalog/search/query-words.ts";
import { searchStatement } from "../../../../services/catalog/search/search.sql.ts";

/**
 * How PostgreSQL ran a search. `ms`: planning and execution. `scans`: what it read, as "Index Only
 * Scan event_by_date".
 */
export type SearchPlan = { ms: number; rows: number; scans: string[]; sequential: boolean };

type Node = {
  "Node Type": string;
  "Index Name"?: string;
  "Relation Name"?: string;
  "Actual Rows": number;
  Plans?: Node[];
};
type Explained = {
  "QUERY PLAN": [{ Plan: Node; "Planning Time": number; "Execution Time": number }];
};

/**
 * Runs a search under EXPLAIN ANALYZE through the catalog's pool and statement. Repeats it until a
 * prepared statement may use a generic plan. The time is the median.
 */
export async function explainSearch(
  database: Database,
  search: { params: SearchParams; nowMs: number; repeat: number },
): Promise<SearchPlan> {
  const filters = filtersOf(search.params, search.nowMs);
  const query = await withEventWords(database, filters.query ?? []);
  const statement = searchStatement({ ...filters, query });
  const explained = { ...statement, text: `EXPLAIN (ANALYZE, FORMAT JSON) ${statement.text}` };
  const times: number[] = [];
  let root: Node | undefined;
  for (let index = 0; index < search.repeat; index += 1) {
    const [row] = await database.query<Explained>(explained);
    if (row === undefined) throw new Error("EXPLAIN gave no plan");
    const [{ Plan: plan, "Planning Time": planningMs, "Execution Time": runningMs }] =
      row["QUERY PLAN"];
    root = plan;
    times.push(planningMs + runningMs);
  }
  if (root === undefined) throw new Error("A search must be explained at least once");
  const nodes = [...walk(root)];
  return {
    ms: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN,
    rows: root["Actual Rows"],
    scans: [
      ...new Set(
        nodes.flatMap((node) =>
          node["Index Name"] === undefined ? [] : [`${node["Node Type"]} ${node["Index Name"]}`],
        ),
      ),
    ],
    sequential: nodes.some(
      (node) => node["Node Type"] === "Seq Scan" && node["Relation Name"] === "event",
    ),
  };
}

/** The cursor behind a share (0 to 1) of all events, in page order. */
export async function deepCursor(database: Database, share: number): Promise<string> {
  const [row] = await database.query<{ date: string; startsAt: string; id: string }>({
    text: `
      SELECT to_char(date, 'YYYY-MM-DD') AS date, id,
        to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "startsAt"
      FROM event ORDER BY date, starts_at, id
      OFFSET (SELECT floor(count(*) * $1::float8) FROM event) LIMIT 1`,
    values: [share],
  });
  if (row === undefined) throw new Error("There are no events to page through");
  return writeCursor(row);
}

function filtersOf(params: SearchParams, nowMs: number): SearchFilters {
  const filters = searchFilters(params, nowMs);
  if (!filters.ok) throw new Error(`Not a search: ${JSON.stringify(params)}`);
  return filters.value;
}

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const child of node.Plans ?? []) yield* walk(child);
}
