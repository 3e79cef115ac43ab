import type { Environment } from "../../../config/index.ts";
import { insertEvents } from "../../../services/catalog/events/event-store.ts";
import { demoEvents } from "../../demo/demo-catalog.ts";
import { type Ask, purchases } from "../harness/browsers.ts";
import { type CrowdResult, sendMetered } from "../harness/crowd.ts";
import {
  engineCpuMs,
  type Layout,
  ONE_OF_EACH,
  ONE_PROCESS,
  startLayout,
} from "../harness/layouts.ts";
import { LOAD, type Processes, type ProcessFigures } from "../harness/process-figures.ts";
import { searchPaths, zipfOrder } from "../harness/questions.ts";
import {
  type Layers,
  makeBuyers,
  newEvent,
  openSale,
  type Sale,
  settled,
  ticketsOf,
} from "../harness/sale.ts";

export type RushOptions = {
  looking: number;
  buying: number;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
};

export type RushResult = CrowdResult & {
  layout: string;
  pace: "once a second" | "without think time";
  /** Undefined for several processes. */
  layers: Layers | undefined;
  /** By process: CPU milliseconds per answer, peak memory in MB. */
  figures: ProcessFigures;
  /** CPU milliseconds per answer of all of the engine's processes. */
  engineCpuMs: number;
};

const EVENTS = 10_000;
const QUESTIONS = 1_000;
const ORDER = 100_000;
const WARM_UP_SECONDS = 45;
const DAYS = 270;

/**
 * A popular event goes on sale: `looking` people search and `buying` people buy one event, each
 * once a second; then without think time. By one process of each service, then by the engine in one
 * process. Throws if a sale is not in PostgreSQL.
 */
export async function rush(
  environment: Environment,
  options: RushOptions,
  report: (line: string) => void,
): Promise<RushResult[]> {
  const sale = openSale(environment, options.folder);
  const events = [...demoEvents(EVENTS, Date.now(), DAYS)];
  for (let start = 0; start < EVENTS; start += 500)
    await insertEvents(sale.database, events.slice(start, start + 500));
  await sale.database.maintain("VACUUM (ANALYZE) event");
  const searches = searchPaths(events, QUESTIONS).map((path) => ({ path }));
  const tokens = await makeBuyers(sale, options.buying);
  const results: RushResult[] = [];
  try {
    for (const layout of [ONE_OF_EACH, ONE_PROCESS])
      for (const pace of ["once a second", "without think time"] as const) {
        report(`${layout}: ${options.looking} people looking, ${options.buying} buying, ${pace}`);
        const engine = await startLayout(sale, layout, options);
        try {
          const one = await oneRush(sale, engine, pace, searches, tokens, options);
          results.push({ layout, pace, ...one });
        } finally {
          await engine.stop();
        }
      }
  } finally {
    await sale.database.close();
  }
  return results;
}

async function oneRush(
  { database }: Sale,
  engine: Layout,
  pace: RushResult["pace"],
  searches: readonly Ask[],
  tokens: readonly string[],
  { looking, seconds, servers }: RushOptions,
): Promise<Omit<RushResult, "layout" | "pace">> {
  const eventId = await newEvent(database);
  // An event of tomorrow is on the first page of most lists, so sales change the most popular
  // pages.
  await database.query({
    text: `
      UPDATE event SET date = tomorrow, starts_at = tomorrow + time '19:00',
        ends_at = tomorrow + time '21:00'
      FROM (SELECT (now() AT TIME ZONE 'UTC')::date + 1 AS tomorrow) AS day WHERE id = $1`,
    values: [eventId],
  });
  const everyMs = pace === "once a second" ? 1_000 : 0;
  const processes = { ...engine.processes, ...servers, ...LOAD };
  let [layersBefore, ticketsBefore] = [
    Promise.resolve<Layers | undefined>(undefined),
    Promise.resolve(0),
  ];
  const crowd = await sendMetered(
    {
      url: engine.urls[0] ?? "",
      groups: [
        {
          name: "search",
          people: looking,
          everyMs,
          asks: searches,
          order: zipfOrder(searches.length, ORDER),
        },
        { name: "purchase", people: tokens.length, everyMs, asks: purchases([eventId], tokens) },
      ],
      warmUpSeconds: WARM_UP_SECONDS,
      seconds,
    },
    processes,
    () => {
      layersBefore = engine.layers?.() ?? layersBefore;
      ticketsBefore = ticketsOf(database, eventId);
    },
  );
  const figures = crowd.figures(crowd.groups.reduce((sum, { times }) => sum + times.count, 0));
  const layersAfter = await engine.layers?.();
  const layers = layersAfter && difference(layersAfter, await layersBefore);
  await settled(database, eventId);
  const ticketsInPostgres = await ticketsOf(database, eventId);
  const sold = crowd.groups.find(({ name }) => name === "purchase")?.statuses["201"] ?? 0;
  // PostgreSQL also has the sales of the warm-up and of answers that came too late.
  if (ticketsInPostgres < sold + (await ticketsBefore) - tokens.length)
    throw new Error(
      `${sold} answers of 201 after ${await ticketsBefore} tickets, but PostgreSQL has ` +
        `${ticketsInPostgres} tickets`,
    );
  return { ...crowd, layers, figures, engineCpuMs: engineCpuMs(engine, figures.cpuMs) };
}

function difference(after: Layers, before: Layers | undefined): Layers {
  const less = <T extends Record<string, number>>(one: T, other: T | undefined): T =>
    Object.fromEntries(
      Object.entries(one).map(([name, value]) => [name, value - (other?.[name] ?? 0)]),
    ) as T;
  return {
    gateway: less(after.gateway, before?.gateway),
    catalog: less(after.catalog, before?.catalog),
  };
}
