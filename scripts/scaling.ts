import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { capacityTable, type Costs, costsOf } from "./scaling/capacity.ts";
import { ROOT } from "./static-checks.ts";

const RESULTS = join(ROOT, ".data", "bench");
const PAGE = join(ROOT, "docs", "scaling.md");
const USAGE = `npm run scaling                     the table of docs/scaling.md from the last npm run bench -- hot-event and -- rush, and writes it there
npm run scaling -- --sale MS --view MS   from CPU-milliseconds given by hand`;
const [BEGIN, END] = ["<!-- from npm run scaling -->\n", "<!-- end -->"];

/** Where no rush was measured yet, a view has to be given. */
function readResult(name: string): unknown {
  try {
    return JSON.parse(readFileSync(join(RESULTS, `${name}.json`), "utf8"));
  } catch {
    return undefined;
  }
}

function costsFrom(values: { sale?: string | undefined; view?: string | undefined }): Costs | undefined {
  const measured = costsOf(readResult("hot-event"), readResult("rush"));
  const saleMs = values.sale === undefined ? measured.saleMs : Number(values.sale);
  const viewMs = values.view === undefined ? measured.viewMs : Number(values.view);
  return saleMs === undefined || viewMs === undefined || !(saleMs > 0 && viewMs > 0) ? undefined : { saleMs, viewMs };
}

const { values } = parseArgs({ options: { sale: { type: "string" }, view: { type: "string" } } });
const costs = costsFrom(values);
if (costs === undefined) {
  console.error(`There is no measurement: run npm run bench -- hot-event and -- rush, or give both figures.\n${USAGE}`);
  process.exitCode = 1;
} else {
  const table = capacityTable(costs);
  const page = readFileSync(PAGE, "utf8");
  const [before = "", rest = ""] = page.split(BEGIN);
  writeFileSync(PAGE, `${before}${BEGIN}${table}${rest.slice(Math.max(0, rest.indexOf(END)))}`);
  console.log(table);
}
