import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../../config/index.ts";
import { readAccessKeys, signingKeyOf } from "../../../lib/auth/key-store.ts";
import { createAccessTokenSigner } from "../../../lib/auth/access-token.ts";
import { type Histogram, Times } from "../harness/histogram.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import {
  makeBuyers,
  newEvent,
  openSale,
  type Sale,
  startBenchEngine,
  ticketsOf,
} from "../harness/sale.ts";
import { type Subscriber, subscribeMany } from "../harness/subscribers.ts";

export type AvailabilityOptions = {
  watching: number;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
};

/** Fewer than four per second, so that each sale has its own message. */
const SALE_EVERY_MS = 400;
const WARM_UP_SALES = 20;
const FLOOR_LEFT = 1_000_000;
const [OURS, FLOOR] = ["live availability", "node:http"] as const;

/**
 * `operations`: numbers received, one per subscriber and sale. `times`: from sending a purchase
 * until its number arrives.
 */
export const AVAILABILITY_BOUNDS: readonly Bound[] = [
  { of: OURS, figure: "times.p99", most: 500 },
  { of: OURS, figure: "more.sales", least: 1 },
  { of: OURS, figure: "more.streams left open", most: 0 },
];

/**
 * Many subscribers watch one event's live availability while a purchase happens every 0.4 s.
 * Measures how soon all have received it; node:http writes the same bytes in the same run. Throws
 * if a sale is not in PostgreSQL.
 */
export async function availability(
  environment: Environment,
  options: AvailabilityOptions,
  report: (line: string) => void,
): Promise<Measurement[]> {
  report(`${options.watching} people watching one event`);
  return [await throughEngine(environment, options), await floor(options)];
}

async function throughEngine(
  environment: Environment,
  { watching, seconds, servers, folder, profile }: AvailabilityOptions,
): Promise<Measurement> {
  const sale = openSale(environment, folder);
  const eventId = await newEvent(sale.database);
  const [token = ""] = await makeBuyers(sale, 1);
  const engine = await startBenchEngine(sale, "worker", profile ? folder : undefined);
  const buy = async (): Promise<void> => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(`${engine.url}/api/events/${eventId}/tickets`, {
      method: "POST",
      headers,
      body: "{}",
    });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`A purchase was answered ${answer.status}: ${text}`);
  };
  try {
    for (let warm = 0; warm < WARM_UP_SALES; warm += 1) await buy();
    const before = memoryKb(engine.process);
    const crowd = await subscribeMany(engine.url, eventId, watching);
    const kilobytesPerStream = (memoryKb(engine.process) - before) / watching;
    const seen = await sellTo(
      crowd,
      seconds,
      { engine: engine.process.pid ?? 0, ...servers, ...LOAD },
      buy,
    );
    for (const subscriber of crowd) subscriber.close();
    const leftOpen = await openStreams(sale, engine.url);
    const tickets = await ticketsOf(sale.database, eventId);
    if (tickets !== WARM_UP_SALES + seen.sales)
      throw new Error(
        `${WARM_UP_SALES + seen.sales} answers of 201, but ${tickets} tickets in PostgreSQL`,
      );
    return {
      name: OURS,
      role: "ours",
      ...measured(seen, watching, {
        "kB a stream": kilobytesPerStream,
        "streams left open": leftOpen,
      }),
    };
  } finally {
    await engine.stop();
    await sale.database.close();
  }
}

async function floor({ watching, seconds }: AvailabilityOptions): Promise<Measurement> {
  const server = fork(fileURLToPath(new URL("../rivals/stream-floor.ts", import.meta.url)));
  try {
    const [{ url }] = (await once(server, "message")) as [{ url: string }];
    let left = FLOOR_LEFT;
    server.send(left);
    const before = memoryKb(server);
    const crowd = await subscribeMany(url, randomUUID(), watching);
    const kilobytesPerStream = (memoryKb(server) - before) / watching;
    const tell = async (): Promise<void> => void server.send((left -= 1));
    const seen = await sellTo(crowd, seconds, { engine: server.pid ?? 0, ...LOAD }, tell);
    for (const subscriber of crowd) subscriber.close();
    return {
      name: FLOOR,
      role: "floor",
      against: OURS,
      ...measured(seen, watching, { "kB a stream": kilobytesPerStream }),
    };
  } finally {
    server.disconnect();
  }
}

type Seen = { sales: number; seconds: number; seen: Histogram; sold: Histogram } & Pick<
  Measurement,
  "cpuMs" | "peakMb"
>;

/** `sell` sells one place. */
async function sellTo(
  crowd: readonly Subscriber[],
  seconds: number,
  processes: Processes,
  sell: () => Promise<void>,
): Promise<Seen> {
  const [seen, sold] = [new Times(), new Times()];
  const meter = startMeter(processes);
  const beganMs = performance.now();
  let left = Math.min(...crowd.map((subscriber) => subscriber.left()));
  while (performance.now() < beganMs + seconds * 1_000) {
    left -= 1;
    const wanted = left;
    const sentMs = performance.now();
    const all = crowd.map(async (subscriber) => seen.add((await subscriber.sees(wanted)) - sentMs));
    await sell();
    sold.add(performance.now() - sentMs);
    await Promise.all(all);
    await wait(Math.max(0, SALE_EVERY_MS - (performance.now() - sentMs)));
  }
  const took = (performance.now() - beganMs) / 1_000;
  const [seenTimes, soldTimes] = [seen.summary(), sold.summary()];
  return {
    sales: soldTimes.count,
    seconds: took,
    seen: seenTimes,
    sold: soldTimes,
    ...meter(seenTimes.count),
  };
}

function measured(
  { sales, seconds, seen, sold, ...figures }: Seen,
  subscribers: number,
  more: Record<string, number>,
) {
  return {
    operation: "message",
    operations: seen.count,
    seconds,
    perSecond: seen.count / seconds,
    times: seen,
    errors: 0,
    ...figures,
    more: { subscribers, sales, "201 p50 ms": sold.p50, "201 p99 ms": sold.p99, ...more },
  };
}

function memoryKb({ pid }: ChildProcess): number {
  return Number(
    /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, "utf8"))?.[1] ?? 0,
  );
}

/** Resolves when none is left, or after five seconds. */
async function openStreams({ config }: Sale, url: string): Promise<number> {
  const sign = createAccessTokenSigner(
    signingKeyOf(readAccessKeys(config.accessTokenKeysDir), Date.now()).privateKey,
  );
  const token = sign({ userId: randomUUID(), role: "operator", sessionId: randomUUID() });
  const headers = { Authorization: `Bearer ${token}` };
  let open = Infinity;
  for (let tries = 0; tries < 50 && open > 0; tries += 1) {
    if (tries > 0) await wait(100);
    const answer = await fetch(`${url}/api/operator/engine`, { headers });
    open = ((await answer.json()) as { streams: { open: number } }).streams.open;
  }
  return open;
}
