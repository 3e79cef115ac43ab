import type { Environment } from "../../config/index.ts";
import type { ServerName } from "../dev-servers/binaries.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { availability, AVAILABILITY_BOUNDS } from "./scenarios/availability.ts";
import { cachedSearch, CACHED_SEARCH_BOUNDS } from "./scenarios/cached-search.ts";
import type { Contender } from "./harness/contenders.ts";
import { hotEvent, HOT_EVENT_BOUNDS } from "./scenarios/hot-event.ts";
import { lists, LISTS_BOUNDS } from "./scenarios/ticket-lists.ts";
import { IMPORT_BOUNDS, imports } from "./scenarios/search/import-run.ts";
import { manyEvents, MANY_EVENTS_BOUNDS } from "./scenarios/many-events.ts";
import { nodes, NODES_BOUNDS } from "./scenarios/nodes.ts";
import type { Bound, Measurement } from "./harness/measurement.ts";
import type { Processes } from "./harness/process-figures.ts";
import {
  overload,
  OVERLOAD_BOUNDS,
  QUARTER_CORE_BOUNDS,
  quarterCore,
} from "./scenarios/overload.ts";
import { proxy, PROXY_BOUNDS } from "./scenarios/proxy.ts";
import { replay, REPLAY_BOUNDS } from "./scenarios/replay.ts";
import { rush } from "./scenarios/rush.ts";
import { RUSH_BOUNDS, rushMeasurements } from "./scenarios/rush-measurements.ts";
import { search, SEARCH_BOUNDS, SEARCH_SIZES } from "./scenarios/search/search.ts";
import {
  PLANNED_EVENTS,
  SEARCH_PLAN_BOUNDS,
  searchPlans,
} from "./scenarios/search/search-plans.ts";
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
    about: "purchases on one event against the usual ways to sell",
    servers: "all",
    bounds: HOT_EVENT_BOUNDS,
    measure: (options, environment) => hotEvent(environment, options),
  },
  "many-events": {
    about: "purchases over 1, 10, 100 and 1,000 events against a row lock each",
    servers: "all",
    bounds: MANY_EVENTS_BOUNDS,
    measure: (options, environment) => manyEvents(environment, options),
  },
  "sold-already": {
    about: "one hot event after a thousand, a million and ten million sales",
    servers: "all",
    bounds: SOLD_ALREADY_BOUNDS,
    measure: (options, environment) => soldAlready(environment, options),
  },
  "sold-out": {
    about: "purchases of a sold-out event, with the rules about keys",
    servers: "all",
    bounds: SOLD_OUT_BOUNDS,
    measure: (options, environment) => soldOut(environment, options),
  },
  rush: {
    about: "9,000 people searching and 1,000 buying, once a second and faster",
    servers: "all",
    bounds: RUSH_BOUNDS,
    measure: async (options, environment) =>
      rushMeasurements(
        await rush(environment, { ...options, buying: options.buyers }, options.report),
      ),
  },
  "cached-search": {
    about: "one popular search against node:http with the same bytes",
    servers: "all",
    bounds: CACHED_SEARCH_BOUNDS,
    measure: (options, environment) => cachedSearch(environment, options),
  },
  proxy: {
    about: "searches and purchases behind nginx with TLS, against node:http",
    servers: "all",
    bounds: PROXY_BOUNDS,
    measure: (options, environment) => proxy(environment, options),
  },
  overload: {
    about: "ten times the purchases the engine can do, on a third of a core (as root)",
    servers: "all",
    bounds: OVERLOAD_BOUNDS,
    measure: (options, environment) => overload(environment, options),
  },
  "quarter-core": {
    about: "purchases with one core and with a quarter of one (as root)",
    servers: "all",
    bounds: QUARTER_CORE_BOUNDS,
    measure: (options, environment) => quarterCore(environment, options),
  },
  replay: {
    about: "two real sales by their published curves, with four bots to each person",
    servers: "all",
    bounds: REPLAY_BOUNDS,
    measure: (options, environment) => replay(environment, options),
  },
  lists: {
    about: "people listing their tickets, one at a time and as a crowd",
    servers: "all",
    bounds: LISTS_BOUNDS,
    measure: (options, environment) => lists(environment, options),
  },
  import: {
    about: "import of a feed into an empty catalog (100,000 events)",
    servers: "all",
    bounds: IMPORT_BOUNDS,
    measure: (options, environment) =>
      imports(environment, { ...options, events: options.events ?? [IMPORTED_EVENTS] }),
  },
  search: {
    about: "searches in catalogs of three sizes, by the layer that answers",
    servers: "all",
    bounds: SEARCH_BOUNDS,
    measure: (options, environment) =>
      search(environment, { ...options, events: options.events ?? SEARCH_SIZES }),
  },
  "search-plans": {
    about: "plans and times of every search in PostgreSQL (100,000 events)",
    servers: ["postgres"],
    bounds: SEARCH_PLAN_BOUNDS,
    measure: ({ events }, environment) =>
      searchPlans(environment.DATABASE_URL ?? "", events?.[0] ?? PLANNED_EVENTS),
  },
  availability: {
    about: "live availability for 5,000 watchers, against node:http",
    servers: "all",
    bounds: AVAILABILITY_BOUNDS,
    measure: (options, environment) => availability(environment, options, options.report),
  },
  nodes: {
    about: "separate processes over NATS against the engine in one process",
    servers: "all",
    bounds: NODES_BOUNDS,
    measure: (options, environment) => nodes(environment, options),
  },
  tokens: {
    about: "cost of access tokens and internal tokens per request",
    servers: "none",
    bounds: TOKEN_BOUNDS,
    measure: () => tokenCosts(),
  },
  "sign-ins": {
    about: "200 sign-ins at once beside 100 searches per second",
    servers: "all",
    bounds: SIGN_IN_BOUNDS,
    measure: (options, environment) => signIns(environment, options),
  },
};
