import { setTimeout as delay } from "node:timers/promises";
import { rankNodes } from "../../mixins/event-owner.ts";
import { seededRandom } from "../random.ts";
import type { ServerName } from "../servers/binaries.ts";
import { type Balancer, openBalancer } from "./balancer.ts";
import { type Measures, measure } from "./checks/good-answers.ts";
import { checkSamples } from "./checks/places.ts";
import type { Violation } from "./checks/violation.ts";
import type { Market } from "./customer.ts";
import type { Fault, FaultContext } from "./fault.ts";
import { finish } from "./finish.ts";
import { Journal } from "./journal.ts";
import { type Load, startLoad } from "./load.ts";
import { startSampler } from "./sampler.ts";
import { openTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import type { World } from "./world.ts";

export type Phase = { name: string; fromSeconds: number; toSeconds: number };

export type FaultResult = {
  id: string;
  title: string;
  seed: number;
  seconds: number;
  measures: Measures;
  /** I7: from the end of the load until nothing was left to book. */
  drainedSeconds: number;
  /** Looks at the places while the fault lasted. */
  samples: number;
  violations: Violation[];
  /** The fault's own conditions that did not hold. */
  missed: string[];
  notes: string[];
  phases: Phase[];
};

export type RunOptions = { seed: number; clients?: number; thinkMs?: number; log: (line: string) => void };

const CLIENTS = 12;
const THINK_MS = 40;
const HOT_CAPACITY = 8_000;
const COLD_CAPACITIES = [400, 150, 150];
const BEFORE_S = 2;
const AFTER_S = 3;

/** One fault on a healthy world: events of its own, clients before, while and after, then everything is checked. */
export async function runFault(world: World, fault: Fault, options: RunOptions): Promise<FaultResult> {
  const beganMs = performance.now();
  const { seed, log } = options;
  const random = seededRandom(seed);
  const [hot, ...cold] = await Promise.all(
    [fault.hotCapacity ?? HOT_CAPACITY, ...COLD_CAPACITIES].map((capacity) => world.addEvent(capacity)),
  );
  const events = [hot ?? "", ...cold];
  const journal = new Journal();
  const balancer: Balancer = openBalancer(
    world.sender,
    world.cluster.of("api").map(({ name, url }) => ({ name, url: url ?? "" })),
  );
  const { accessToken, purchaseId, cancellationId } = world;
  const market: Market = { balancer, journal, accessToken, purchaseId, cancellationId };
  const notes: string[] = [];
  const missed: string[] = [];
  const phases: Phase[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  let reference: { ms: number; chosen: boolean } | undefined;
  let load: Load | undefined;
  const sinceBegin = (): number => (performance.now() - beganMs) / 1_000;

  const context: FaultContext = {
    ...{ world, cluster: world.cluster, servers: world.servers, hot: events[0] ?? "", events, random, market },
    get load() {
      if (load === undefined) throw new Error("The load has not begun");
      return load;
    },
    async phase(name, work) {
      const fromSeconds = sinceBegin();
      reference ??= { ms: performance.now(), chosen: false };
      log(`${fault.id}: ${name}`);
      try {
        return await work();
      } finally {
        phases.push({ name, fromSeconds, toSeconds: sinceBegin() });
      }
    },
    mark: () => (reference = { ms: performance.now(), chosen: true }),
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

  try {
    await fault.prepare?.(context).catch((error: unknown) => missed.push(unplayed(error)));
    const sampler = startSampler(world.database, events);
    load = startLoad(market, { seed, clients: options.clients ?? CLIENTS, thinkMs: options.thinkMs ?? THINK_MS, events });
    await delay(BEFORE_S * 1_000);
    const faultMs = performance.now();
    try {
      if (missed.length === 0) await fault.run(context);
    } catch (error) {
      missed.push(unplayed(error));
    }
    await heal(world);
    await delay(AFTER_S * 1_000);
    await load.stop();
    sampler.stop();
    // What the clients asked is measured; what settles it afterwards is not.
    const measures = measure([...journal.entries], reference?.ms ?? faultMs);
    log(`${fault.id}: the load has ended (${journal.entries.length} answers); everything is checked`);
    const { violations, drainedSeconds } = await finish(world, market, events, random);
    return {
      ...{ id: fault.id, title: fault.title, seed, seconds: sinceBegin(), measures, drainedSeconds, samples: sampler.samples.length },
      violations: [...checkSamples(sampler.samples, beganMs), ...violations],
      missed: [...missed, ...(fault.bounds?.(measures) ?? [])],
      ...{ notes, phases },
    };
  } finally {
    await load?.stop();
    balancer.stop();
    await fault.afterwards?.(context);
    for (const run of undo) await run();
  }
}

const VARIABLE_OF = { postgres: "DATABASE_URL", redis: "REDIS_URL", rabbitmq: "AMQP_URL", nats: "TRANSPORTER" } as const satisfies Record<
  ServerName,
  keyof World["urls"]
>;

function unplayed(error: unknown): string {
  return `the fault could not be played to its end: ${error instanceof Error ? error.message : String(error)}`;
}

/** Whatever a fault has left: the servers run, and every node runs as it should. */
async function heal({ servers, cluster }: World): Promise<void> {
  for (const name of Object.keys(VARIABLE_OF) as ServerName[]) {
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
