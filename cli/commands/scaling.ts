import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { capacityTable, type Costs, costsOf } from "../../tools/scaling/capacity.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";

const RESULTS = join(ROOT, ".data", "bench");
const PAGE = join(ROOT, "docs", "scaling.md");
const USAGE = `npm run scaling                                            the table of docs/scaling.md from the last npm run bench -- nodes, hot-event and rush
npm run scaling -- --gateway MS --worker MS --view MS      from CPU-milliseconds given by hand, those that are given`;
const [BEGIN, END] = ["<!-- from npm run scaling -->\n", "<!-- end -->"];

/** Where no rush was measured yet, a view has to be given. */
function readResult(name: string): unknown {
  try {
    return JSON.parse(readFileSync(join(RESULTS, `${name}.json`), "utf8"));
  } catch {
    return undefined;
  }
}

type Given = {
  gateway?: string | undefined;
  worker?: string | undefined;
  view?: string | undefined;
};

function costsFrom({ gateway, worker, view }: Given): Costs | undefined {
  const measured = costsOf({
    nodes: readResult("nodes"),
    hotEvent: readResult("hot-event"),
    rush: readResult("rush"),
  });
  const costs = {
    gatewaySaleMs: gateway === undefined ? measured.gatewaySaleMs : Number(gateway),
    workerSaleMs: worker === undefined ? measured.workerSaleMs : Number(worker),
    viewMs: view === undefined ? measured.viewMs : Number(view),
  };
  return Object.values(costs).every((ms) => ms !== undefined && ms > 0)
    ? (costs as Costs)
    : undefined;
}

const { values } = parseArgs({
  options: { gateway: { type: "string" }, worker: { type: "string" }, view: { type: "string" } },
});
const costs = costsFrom(values);
if (costs === undefined) {
  console.error(
    `There is no measurement: run npm run bench -- nodes, hot-event and rush, or give the figures.\n${USAGE}`,
  );
  process.exitCode = 1;
} else {
  const table = capacityTable(costs);
  const page = readFileSync(PAGE, "utf8");
  const [before = "", rest = ""] = page.split(BEGIN);
  writeFileSync(PAGE, `${before}${BEGIN}${table}${rest.slice(Math.max(0, rest.indexOf(END)))}`);
  console.log(table);
}
