import { setTimeout as delay } from "node:timers/promises";
import { rankNodes } from "../../lib/bus/event-owner.strategy.ts";
import type { Random } from "../testing/seeded-random.ts";
import type { ServerName } from "../dev-servers/binaries.ts";
import type { Market } from "./load/customer.ts";
import type { Fault, FaultContext } from "./fault.ts";
import type { Load } from "./load/clients.ts";
import { openTcpProxy, type TcpProxy } from "./network/tcp-proxy.ts";
import type { World } from "./test-bed.ts";

export type Phase = { name: string; fromSeconds: number; toSeconds: number };

/** Where a fault runs: a world, events on sale, and clients once they have started. */
export type Stage = {
  world: World;
  market: Market;
  /** Includes events that the fault puts on sale. */
  events: string[];
  random: Random;
  load: () => Load | undefined;
  /** Start of the phases, in milliseconds of the monotonic clock. */
  beganMs: number;
  log: (line: string) => void;
};

/** Results besides the journal and the database. */
export type Play = {
  context: FaultContext;
  notes: string[];
  missed: string[];
  phases: Phase[];
  /** Start of the recovery time, once known. */
  referenceMs(): number | undefined;
  prepare(): Promise<void>;
  /**
   * Runs the fault and heals its effects. Does not reject: a failure of the fault is noted as
   * missed.
   */
  run(): Promise<void>;
  /** Closes the proxies and undoes what healing cannot. */
  close(): Promise<void>;
};

/** Builds the context of a fault. */
export function playOf(fault: Fault, stage: Stage): Play {
  const { world, market, events, random, beganMs, log } = stage;
  const notes: string[] = [];
  const missed: string[] = [];
  const phases: Phase[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  let referenceMs: number | undefined;
  const sinceBegin = (): number => (performance.now() - beganMs) / 1_000;
  const attempt = async (work: () => Promise<void> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      missed.push(`the fault failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  const context: FaultContext = {
    world,
    cluster: world.cluster,
    servers: world.servers,
    hot: events[0] ?? "",
    events,
    random,
    market,
    get load() {
      return stage.load() ?? notBegun();
    },
    async phase(name, work) {
      const fromSeconds = sinceBegin();
      referenceMs ??= performance.now();
      log(name);
      try {
        return await work();
      } finally {
        phases.push({ name, fromSeconds, toSeconds: sinceBegin() });
      }
    },
    mark: () => (referenceMs = performance.now()),
    forSeconds: (seconds) => delay(seconds * 1_000),
    until: (what, fact, seconds = 30) => until(what, fact, seconds),
    async ownerOf(event) {
      const [row] = await world.database.query<{ node: string }>({
        text: "SELECT node FROM event_worker WHERE event_id = $1",
        values: [event],
      });
      if (row === undefined) throw new Error(`The event ${event} has no worker yet`);
      return row.node;
    },
    async putOnSale(capacity, startsInMs) {
      const startsAtMs = startsInMs === undefined ? undefined : performance.now() + startsInMs;
      const event = await world.addEvent(capacity, startsInMs);
      market.journal.sales.set(event, { total: capacity, startsAtMs });
      events.push(event);
      return event;
    },
    namedOwnerOf: (event) =>
      rankNodes(
        event,
        world.cluster.of("purchasing").map(({ name }) => name),
      )[0] ?? "",
    async proxyTo(server) {
      const proxy: TcpProxy = await openTcpProxy(world.urls[VARIABLE_OF[server]]);
      undo.push(() => proxy.close());
      return proxy;
    },
    async restartWith(name, environment) {
      const node = world.cluster.node(name);
      await node.stop();
      await node.start(environment);
    },
    expect: (holds, what) => {
      if (!holds) missed.push(what);
    },
    note: (text) => notes.push(text),
  };

  return {
    context,
    notes,
    missed,
    phases,
    referenceMs: () => referenceMs,
    prepare: () => attempt(() => fault.prepare?.(context)),
    async run() {
      if (missed.length === 0) await attempt(() => fault.run(context));
      await heal(world);
    },
    async close() {
      await fault.afterwards?.(context);
      for (const run of undo) await run();
    },
  };
}

function notBegun(): never {
  throw new Error("The load has not begun");
}

const VARIABLE_OF = {
  postgres: "DATABASE_URL",
  redis: "REDIS_URL",
  rabbitmq: "AMQP_URL",
  nats: "TRANSPORTER",
} as const satisfies Record<ServerName, keyof World["urls"]>;

/** Starts stopped servers, and restores every node. */
async function heal({ servers, cluster }: World): Promise<void> {
  for (const name of servers.names) {
    const server = servers.server(name);
    if (server.pid === undefined) await server.restart();
    else server.kill("SIGCONT");
  }
  await cluster.heal();
}

async function until(what: string, fact: () => unknown, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  while (!(await fact())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await delay(20);
  }
}
