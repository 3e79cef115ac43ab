import type { Environment } from "../../config/index.ts";
import type { ServerName } from "../dev-servers/binaries.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { availability, AVAILABILITY_BOUNDS } from "./scenarios/availability.ts";
import { cachedSearch, CACHED_SEARCH_BOUNDS } from "./scenarios/cached-search.ts";
import type { Contender } from "./harness/contenders.ts";
import { hotEvent, HOT_EVENT_BOUNDS } from "./scenarios/hot-event.ts";
import { lists, LISTS_BOUNDS } from "./scenarios/ticket-lists.ts";
import { IMPORT_BOUNDS, imports } from "./scenarios/import-run.ts";
import { manyEvents, MANY_EVENTS_BOUNDS } from "./scenarios/many-events.ts";
import { nodes, NODES_BOUNDS } from "./scenarios/nodes.ts";
import type { Bound, Measurement } from "./harness/measurement.ts";
import type { Processes } from "./harness/process-figures.ts";
import { rush } from "./scenarios/rush.ts";
import { RUSH_BOUNDS, rushMeasurements } from "./scenarios/rush-measurements.ts";
import { search, SEARCH_BOUNDS, SEARCH_SIZES } from "./scenarios/search.ts";
import { PLANNED_EVENTS, SEARCH_PLAN_BOUNDS, searchPlans } from "./scenarios/search-plans.ts";
import { SIGN_IN_BOUNDS, signIns } from "./scenarios/sign-ins.ts";
import { soldAlready, SOLD_ALREADY_BOUNDS } from "./scenarios/sold-already.ts";
import { soldOut, SOLD_OUT_BOUNDS } from "./scenarios/sold-out.ts";
import { TOKEN_BOUNDS, tokenCosts } from "./scenarios/tokens.ts";

export type BenchOptions = {
  buyers: number;
  looking: number;
  watching: number;
  /** Sizes of the catalog. Undefined: those of the scenario. */
  events: readonly number[] | undefined;
  seconds: number;
  contenders: readonly Contender[];
  /** Writes CPU profiles to `folder`. */
  profile: boolean;
  folder: string;
  /** Processes of the servers, by name. */
  servers: Processes;
  report: Report;
};

export type Scenario = {
  about: string;
  /** Servers that the scenario gets, migrated and empty. none: it starts its own. */
  servers: readonly ServerName[] | "all" | "none";
  bounds: readonly Bound[];
  /** Throws if a result is wrong: a sale that is not in PostgreSQL, a violated rule. */
  measure(options: BenchOptions, environment: Environment): Promise<Measurement[]> | Measurement[];
};

const IMPORTED_EVENTS = 100_000;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "hot-event": {
    about:
      "durable purchases a second on one event, through HTTP, with real tokens, against the ways everyone else sells",
    servers: "all",
    bounds: HOT_EVENT_BOUNDS,
    measure: (options, environment) => hotEvent(environment, options),
  },
  "many-events": {
    about:
      "purchases spread over 1, 10, 100 and 1,000 events on sale, against a row lock per purchase; fails below 2,500 a second on 1,000",
    servers: "all",
    bounds: MANY_EVENTS_BOUNDS,
    measure: (options, environment) => manyEvents(environment, options),
  },
  "sold-already": {
    about:
      "one hot event with a thousand, a million and ten million tickets sold before; fails where a sale's CPU differs by more than 30 %",
    servers: "all",
    bounds: SOLD_ALREADY_BOUNDS,
    measure: (options, environment) => soldAlready(environment, options),
  },
  "sold-out": {
    about:
      "everybody asks for a ticket of an event that has none left, while the rules about keys are tried; fails below 6,000 refusals a second",
    servers: "all",
    bounds: SOLD_OUT_BOUNDS,
    measure: (options, environment) => soldOut(environment, options),
  },
  rush: {
    about:
      "9,000 people searching and 1,000 buying one event, each once a second, then without think time; fails above 500 ms p99",
    servers: "all",
    bounds: RUSH_BOUNDS,
    measure: async (options, environment) =>
      rushMeasurements(
        await rush(environment, { ...options, buying: options.buyers }, options.report),
      ),
  },
  "cached-search": {
    about:
      "one popular question without a pause, against node:http sending the same bytes in turn; fails below 0.7 of it",
    servers: "all",
    bounds: CACHED_SEARCH_BOUNDS,
    measure: (options, environment) => cachedSearch(environment, options),
  },
  lists: {
    about:
      "people listing their tickets without a pause, one at a time and a crowd; fails above 500 ms p99 or where a crowd is no cheaper",
    servers: "all",
    bounds: LISTS_BOUNDS,
    measure: (options, environment) => lists(environment, options),
  },
  import: {
    about:
      "a feed of 100,000 events (--events), imported by the command into an empty catalogue; a million fail above five minutes or a gigabyte",
    servers: "all",
    bounds: IMPORT_BOUNDS,
    measure: (options, environment) =>
      imports(environment, { ...options, events: options.events ?? [IMPORTED_EVENTS] }),
  },
  search: {
    about:
      "catalogues of 1,000, 100,000 and 1,000,000 events: import, start of an engine, searches never asked before, from Redis, from the gateway",
    servers: "all",
    bounds: SEARCH_BOUNDS,
    measure: (options, environment) =>
      search(environment, { ...options, events: options.events ?? SEARCH_SIZES }),
  },
  "search-plans": {
    about:
      "every search of the contract on 100,000 events: milliseconds in PostgreSQL and the indexes it used; fails above 50 ms",
    servers: ["postgres"],
    bounds: SEARCH_PLAN_BOUNDS,
    measure: ({ events }, environment) =>
      searchPlans(environment.DATABASE_URL ?? "", events?.[0] ?? PLANNED_EVENTS),
  },
  availability: {
    about:
      "5,000 people watching one event's live availability: how soon they see a sale, against node:http writing the same; fails above 500 ms p99",
    servers: "all",
    bounds: AVAILABILITY_BOUNDS,
    measure: (options, environment) => availability(environment, options, options.report),
  },
  nodes: {
    about:
      "durable purchases through two gateways and purchasing nodes against one of each, in CPU-milliseconds a sale",
    servers: "none",
    bounds: NODES_BOUNDS,
    measure: (options) => nodes(options, options.report),
  },
  tokens: {
    about:
      "what checking access tokens and minting internal ones costs a request; fails above its bounds",
    servers: "none",
    bounds: TOKEN_BOUNDS,
    measure: () => tokenCosts(),
  },
  "sign-ins": {
    about:
      "200 sign-ins at once beside 100 searches a second: statuses, times, memory; fails above its bounds",
    servers: "all",
    bounds: SIGN_IN_BOUNDS,
    measure: (options, environment) => signIns(environment, options),
  },
};
