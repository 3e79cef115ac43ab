import type { Environment } from "../config.ts";
import type { ServerName } from "../scripts/servers/binaries.ts";
import type { Report } from "../scripts/servers/problem.ts";
import { availability, availabilityFaults, availabilityFigures, printAvailability } from "./availability.ts";
import type { Contender } from "./contenders.ts";
import { hotEvent, printHotEvent } from "./hot-event.ts";
import type { Outcome } from "./outcome.ts";
import { nodes, printNodes } from "./nodes.ts";
import { printRush, rush, rushFaults } from "./rush.ts";
import { searchPlans } from "./search-plans.ts";
import { printSignIns, signInFaults, signIns } from "./sign-ins.ts";
import { printTokenCosts, tokenCosts, tokenFaults } from "./tokens.ts";

export type BenchOptions = {
  buyers: number;
  looking: number;
  watching: number;
  seconds: number;
  contenders: Contender[];
  /** Leaves CPU profiles in `folder`. */
  profile: boolean;
  folder: string;
  report: Report;
};

export type Scenario = {
  about: string;
  /** Which servers it is given, migrated and empty; none where it has its own. */
  servers: readonly ServerName[] | "all" | "none";
  run(options: BenchOptions, environment: Environment): Promise<Outcome> | Outcome;
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "hot-event": {
    about: "durable purchases a second on one event, through HTTP, with real tokens, against the ways everyone else sells",
    servers: "all",
    async run(options, environment) {
      const results = await hotEvent(environment, options, options.report);
      printHotEvent(results);
      return { results, faults: [] };
    },
  },
  rush: {
    about: "9,000 people searching and 1,000 buying one event, each once a second, then without think time; fails above 500 ms p99",
    servers: "all",
    async run(options, environment) {
      const results = await rush(environment, { ...options, buying: options.buyers }, options.report);
      printRush(results);
      return { results, faults: rushFaults(results) };
    },
  },
  availability: {
    about:
      "5,000 people watching one event's live availability: how soon they see a sale, against node:http writing the same; fails above 500 ms p99",
    servers: "all",
    async run(options, environment) {
      const results = await availability(environment, options, options.report);
      printAvailability(results);
      return { results: results.map(availabilityFigures), faults: results.flatMap(availabilityFaults) };
    },
  },
  nodes: {
    about: "durable purchases through two gateways and purchasing nodes against one of each, in CPU-milliseconds a sale",
    servers: "none",
    async run(options) {
      const results = await nodes(options, options.report);
      printNodes(results);
      return { results, faults: [] };
    },
  },
  tokens: {
    about: "what checking access tokens and minting internal ones costs a request; fails above its bounds",
    servers: "none",
    run() {
      const results = tokenCosts();
      printTokenCosts(results);
      return { results, faults: tokenFaults(results) };
    },
  },
  "sign-ins": {
    about: "200 sign-ins at once beside 100 searches a second: statuses, times, memory; fails above its bounds",
    servers: "all",
    async run(options, environment) {
      const results = await signIns(environment, options.folder, options.report);
      printSignIns(results);
      return { results, faults: results.flatMap(signInFaults) };
    },
  },
  "search-plans": {
    about: "every search of the contract on 100,000 events: milliseconds in PostgreSQL and the indexes it used",
    servers: ["postgres"],
    run: (_options, environment) => searchPlans(environment.DATABASE_URL ?? ""),
  },
};
