import { readFileSync } from "node:fs";
import type { ClusterNode } from "../cluster/node-child.ts";
import { pick } from "../testing/seeded-random.ts";
import { answersBegun, measure } from "./checks/good-answers.ts";
import type { Fault, FaultContext } from "./fault.ts";
import type { Entry } from "./load/journal.ts";
import { flood, startLoad } from "./load/clients.ts";

const CAPACITY_S = 10;
const CLIENTS = 16;
const EVERY_S = 60;
const SAMPLE_EVERY_S = 5;
/** A fault's window ends this long after the fault: servers start, nodes discover each other. */
const WINDOW_AFTER_MS = 15_000;
const GOOD_PERCENT = 99.9;
/** The beginning is left out, because a node's memory settles in its first minutes. */
const SETTLED_SHARE = 0.25;
const MB = 1_024;

type Trouble = { name: string; play(context: FaultContext): Promise<void> };
type Memory = Map<string, { minute: number; mb: number }[]>;

/**
 * Only the second node of each kind is a victim, so that the first node's memory can be followed.
 */
const victims = ({ cluster }: FaultContext): ClusterNode[] =>
  cluster.nodes.filter(({ name }) => name.endsWith("-2"));

function server(name: "postgres" | "redis" | "rabbitmq" | "nats"): Trouble {
  return {
    name: `kill -9 ${name}`,
    async play({ servers, until }) {
      const one = servers.server(name);
      one.kill("SIGKILL");
      await until(`${name} is gone`, () => one.pid === undefined, 5);
      await one.restart();
    },
  };
}

function node(
  name: string,
  hurt: (node: ClusterNode, context: FaultContext) => Promise<unknown>,
): Trouble {
  return {
    name,
    async play(context) {
      const one = pick(victims(context), context.random);
      await hurt(one, context);
      await one.start();
    },
  };
}

const TROUBLES: readonly Trouble[] = [
  ...(["postgres", "redis", "rabbitmq", "nats"] as const).map(server),
  node("kill -9 a node", (one) => {
    one.kill("SIGKILL");
    return one.ended();
  }),
  node("SIGTERM a node", (one) => one.stop()),
  node("freeze a node for 5 s", async (one, { forSeconds }) => {
    one.freeze();
    await forSeconds(5);
    one.thaw();
  }),
];

/**
 * Runs half of the cluster's capacity, or a given rate, for some minutes. Each minute has a random
 * fault, chosen by the seed. Ends with the checks of every fault.
 */
export function soakOf(minutes: number, givenRate?: number): Fault {
  const rateText =
    givenRate === undefined ? "half the capacity" : `${givenRate} requests per second`;
  return {
    id: "F0",
    title: `soak: ${minutes} minutes at ${rateText}, a random fault every minute`,
    hotCapacity: Math.min(900_000, 3_000 * minutes + 5_000),
    async run(context) {
      const { market, events, load, random, phase, forSeconds, expect, note } = context;
      await load.pause(true);
      const capacity = await phase("capacity", () => capacityOf(context));
      note(`capacity ${capacity.toFixed(0)} answers per second`);
      const rate = givenRate ?? capacity / 2;
      const beganMs = performance.now();
      const half = startLoad(market, {
        seed: Math.floor(random() * 1e6),
        clients: CLIENTS,
        thinkMs: (CLIENTS * 1_000) / rate,
        events,
      });
      const memory = followMemory(context, beganMs);
      const windows: { fromMs: number; toMs: number }[] = [];
      for (let minute = 1; minute <= minutes; minute += 1) {
        const dueMs = beganMs + (minute - 0.5) * EVERY_S * 1_000;
        await forSeconds(Math.max(0, dueMs - performance.now()) / 1_000);
        const trouble = pick(TROUBLES, random);
        const fromMs = performance.now();
        await phase(`minute ${minute}: ${trouble.name}`, () => trouble.play(context));
        windows.push({ fromMs, toMs: performance.now() + WINDOW_AFTER_MS });
      }
      await forSeconds(EVERY_S / 2);
      await half.stop();
      memory.stop();
      const outside = (entry: Entry): boolean =>
        windows.every(({ fromMs, toMs }) => entry.ended < fromMs || entry.started > toMs);
      const all = answersBegun(market.journal.entries, beganMs, Infinity);
      const { all: quiet, bad } = measure(
        market.journal.entries.filter((entry) => entry.started >= beganMs && outside(entry)),
        beganMs,
      );
      note(
        `${(all.all.answers / minutes / EVERY_S).toFixed(0)} answers per second, ` +
          `${all.all.percent.toFixed(3)} % good`,
      );
      note(`outside the faults' windows ${quiet.percent.toFixed(3)} % of ${quiet.answers}`);
      note(`memory, MB per hour: ${memory.slopes()}`);
      expect(
        quiet.percent >= GOOD_PERCENT,
        `outside the faults' windows ${quiet.percent.toFixed(3)} % were good: ` +
          JSON.stringify(bad),
      );
    },
  };
}

/** Answers per second that the cluster gives to clients without think time. */
function capacityOf(context: FaultContext): Promise<number> {
  const { market, forSeconds } = context;
  return flood(context, CLIENTS, async () => {
    await forSeconds(2);
    const fromMs = performance.now();
    await forSeconds(CAPACITY_S);
    const { all } = answersBegun(market.journal.entries, fromMs, performance.now());
    return all.good / CAPACITY_S;
  });
}

/** Samples the memory of the nodes that are never a victim. */
function followMemory(
  { cluster }: FaultContext,
  beganMs: number,
): { stop(): void; slopes(): string } {
  const memory: Memory = new Map();
  const look = (): void => {
    for (const { name, pid } of cluster.nodes) {
      if (!name.endsWith("-1") || pid === undefined) continue;
      const kb = Number(
        /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0,
      );
      const samples = memory.get(name) ?? [];
      samples.push({ minute: (performance.now() - beganMs) / 60_000, mb: kb / MB });
      memory.set(name, samples);
    }
  };
  const timer = setInterval(look, SAMPLE_EVERY_S * 1_000);
  return {
    stop: () => clearInterval(timer),
    slopes: () => [...memory].map(([name, samples]) => `${name} ${slopeOf(samples)}`).join(", "),
  };
}

/** Slope by least squares, without the beginning, and the last value. */
function slopeOf(samples: readonly { minute: number; mb: number }[]): string {
  const settled = samples.slice(Math.floor(samples.length * SETTLED_SHARE));
  const mean = (of: (sample: { minute: number; mb: number }) => number): number =>
    settled.reduce((sum, one) => sum + of(one), 0) / settled.length;
  const [minute, mb] = [mean((one) => one.minute), mean((one) => one.mb)];
  const spread = mean((one) => (one.minute - minute) ** 2);
  const slope = spread === 0 ? 0 : mean((one) => (one.minute - minute) * (one.mb - mb)) / spread;
  const sign = slope >= 0 ? "+" : "−";
  const last = settled.at(-1)?.mb.toFixed(0) ?? "?";
  return `${sign}${Math.abs(slope * 60).toFixed(0)} (now ${last})`;
}
