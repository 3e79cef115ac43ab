import { fork } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../../config/index.ts";
import { demoEvents } from "../../demo/demo-catalog.ts";
import { insertEvents } from "../../../services/catalog/events/event-store.ts";
import { measured, sendAtOnce } from "../harness/load.ts";
import { type Bound, type Measurement, median } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import { noProxy, type Placed } from "../harness/proxy.ts";
import { type BenchEngine, openSale, startBenchEngine } from "../harness/sale.ts";

export type CachedSearchOptions = {
  seconds: number;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

/** A response as a server without logic sends it. */
export type SameBytes = { status: number; headers: [string, string][]; body: string };

const [OURS, FLOOR] = ["cached search", "node:http"] as const;
const EVENTS = 3_000;
const CONNECTIONS = 64;
const TURNS = 5;
const PEOPLE = 1_000;
const QUESTION = "/api/events?type=concert";
const CROWD = {
  connections: CONNECTIONS,
  asks: Array.from({ length: PEOPLE }, () => ({ path: QUESTION })),
};

export const CACHED_SEARCH_BOUNDS: readonly Bound[] = [
  { of: OURS, figure: "more.share of node:http", least: 0.7 },
  { of: OURS, figure: "errors", most: 0 },
  { of: OURS, figure: "hits.gateway", least: 0.99 },
];

/**
 * Repeats one popular search on keep-alive connections: the engine and node:http with the same
 * bytes, five times in turn, so that other load affects both. `placed`: what stands
 * before both.
 */
export async function cachedSearch(
  environment: Environment,
  options: CachedSearchOptions,
  placed: Placed = noProxy,
): Promise<Measurement[]> {
  const sale = openSale(environment, options.folder);
  const events = [...demoEvents(EVENTS, Date.now(), 270)];
  for (let start = 0; start < EVENTS; start += 500)
    await insertEvents(sale.database, events.slice(start, start + 500));
  await sale.database.maintain("VACUUM (ANALYZE) event");
  const engine = await startBenchEngine(
    sale,
    "worker",
    options.profile ? options.folder : undefined,
  );
  const floor = fork(fileURLToPath(new URL("../rivals/bytes-floor.ts", import.meta.url)));
  try {
    const bytes = await answerOf(`${engine.url}${QUESTION}`);
    floor.send(bytes);
    const [{ url: floorUrl }] = (await once(floor, "message")) as [{ url: string }];
    await checkSame(bytes, await answerOf(`${floorUrl}${QUESTION}`));
    const turns = await inTurn(placed, engine, { url: floorUrl, pid: floor.pid ?? 0 }, options);
    const turnShares = turns.map(({ ours, floor: most }) =>
      (ours.perSecond / most.perSecond).toFixed(2),
    );
    options.report(`shares of node:http, by turn: ${turnShares.join(", ")}`);
    return [
      summed(
        turns.map(({ ours }) => ours),
        turns.map((turn) => turn.ours.perSecond / turn.floor.perSecond),
      ),
      summed(turns.map((turn) => turn.floor)),
    ];
  } finally {
    floor.disconnect();
    await engine.stop();
    await sale.database.close();
  }
}

type Turn = { ours: Measurement; floor: Measurement };

async function inTurn(
  placed: Placed,
  engine: BenchEngine,
  floor: { url: string; pid: number },
  options: CachedSearchOptions,
): Promise<Turn[]> {
  const seconds = Math.max(1, Math.round(options.seconds / TURNS));
  const turns: Turn[] = [];
  const between = await placed([engine.url, floor.url]);
  const [ourUrl = "", plainUrl = ""] = between.urls;
  try {
    for (let turn = 0; turn <= TURNS; turn += 1)
      turns.push({
        ours: await throughEngine(ourUrl, engine, between.processes, seconds),
        floor: await throughFloor(plainUrl, floor.pid, between.processes, seconds),
      });
  } finally {
    await between.stop();
  }
  // The first turn is a warm-up.
  return turns.slice(1);
}

/** The median turn, with the median of the turns' ratios. */
function summed(turns: readonly Measurement[], shares: readonly number[] = []): Measurement {
  const middle = turns.toSorted((one, other) => one.perSecond - other.perSecond)[
    Math.floor(turns.length / 2)
  ];
  if (middle === undefined) throw new Error("There was no turn");
  const errors = turns.reduce((sum, turn) => sum + turn.errors, 0);
  return {
    ...middle,
    errors,
    ...(shares.length === 0 ? {} : { more: { "share of node:http": median(shares) } }),
  };
}

async function throughEngine(
  url: string,
  engine: BenchEngine,
  between: Processes,
  seconds: number,
): Promise<Measurement> {
  const before = (await engine.layers()).gateway;
  const meter = startMeter({ engine: engine.process.pid ?? 0, ...between, ...LOAD });
  const result = await sendAtOnce({ url, ...CROWD, seconds });
  const figures = meter(result.answers);
  const after = (await engine.layers()).gateway;
  const [hits, misses] = [after.hits - before.hits, after.misses - before.misses];
  return {
    name: OURS,
    role: "ours",
    ...measured("search", result),
    ...figures,
    hits: { gateway: hits / Math.max(1, hits + misses) },
  };
}

async function throughFloor(
  url: string,
  pid: number,
  between: Processes,
  seconds: number,
): Promise<Measurement> {
  const meter = startMeter({ engine: pid, ...between, ...LOAD });
  const result = await sendAtOnce({ url, ...CROWD, seconds });
  return {
    name: FLOOR,
    role: "floor",
    against: OURS,
    ...measured("search", result),
    ...meter(result.answers),
  };
}

const VARYING = new Set(["date", "connection", "keep-alive", "x-request-id", "transfer-encoding"]);

async function answerOf(url: string): Promise<SameBytes> {
  const asked = get(url, { headers: { "Accept-Encoding": "gzip, deflate, br" } });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const { statusCode = 0, rawHeaders } = response;
  const headers = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : [],
  );
  const body = (await buffer(response)).toString("base64");
  return {
    status: statusCode,
    headers: headers.filter(
      ([name]) => !["date", "connection", "keep-alive"].includes(name.toLowerCase()),
    ),
    body,
  };
}

/** Both servers must send the same response. */
async function checkSame(ours: SameBytes, floors: SameBytes): Promise<void> {
  const constant = ({ headers }: SameBytes): string =>
    JSON.stringify(headers.filter(([name]) => !VARYING.has(name.toLowerCase())).sort());
  if (
    ours.status !== 200 ||
    ours.status !== floors.status ||
    ours.body !== floors.body ||
    constant(ours) !== constant(floors)
  )
    throw new Error(
      `node:http does not send what the engine sends: ${constant(ours)} and ${constant(floors)}`,
    );
}
