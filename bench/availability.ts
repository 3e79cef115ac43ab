import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Environment } from "../config.ts";
import { readAccessKeys, signingKeyOf } from "../mixins/access-keys.ts";
import { createAccessTokenSigner } from "../mixins/tokens.ts";
import { percentile } from "./arrivals.ts";
import { cpuMs } from "./process-figures.ts";
import { makeBuyers, newEvent, openSale, type Sale, startBenchEngine, ticketsOf } from "./sale.ts";
import { type Subscriber, subscribeMany } from "./subscribers.ts";

export type AvailabilityResult = {
  who: "engine" | "node:http";
  subscribers: number;
  sales: number;
  /** From the sending of a purchase until a subscriber has read a number that counts it; one figure for each subscriber and sale. */
  seenMs: number[];
  /** From the sending until the 201. */
  soldMs: number[];
  /** All that the process did, divided by the messages that subscribers have read. */
  cpuUsPerMessage: number;
  kilobytesPerStream: number;
  /** Streams that the engine holds after all clients have gone. */
  leftOpen: number;
};

export type AvailabilityOptions = { watching: number; seconds: number; folder: string; profile: boolean };

/** Slower than four a second, so that each sale has a message of its own. */
const SALE_EVERY_MS = 400;
const WARM_UP_SALES = 20;
const SEEN_WITHIN_MS = 500;
const FLOOR_LEFT = 1_000_000;

/**
 * One event whose live availability so many people watch, and a purchase every 0.4 s: how long until everybody has seen it. In the same run node:http
 * writes the same bytes to as many. Throws where what was answered as sold is not in PostgreSQL.
 */
export async function availability(
  environment: Environment,
  options: AvailabilityOptions,
  report: (line: string) => void,
): Promise<AvailabilityResult[]> {
  report(`${options.watching} people watching one event`);
  return [await throughEngine(environment, options), await floor(options)];
}

async function throughEngine(
  environment: Environment,
  { watching, seconds, folder, profile }: AvailabilityOptions,
): Promise<AvailabilityResult> {
  const sale = openSale(environment, folder);
  const eventId = await newEvent(sale.database);
  const [token = ""] = await makeBuyers(sale, 1);
  const engine = await startBenchEngine(sale, "worker", profile ? folder : undefined);
  const buy = async (): Promise<void> => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(`${engine.url}/api/events/${eventId}/tickets`, { method: "POST", headers, body: "{}" });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`A purchase was answered ${answer.status}: ${text}`);
  };
  try {
    for (let warm = 0; warm < WARM_UP_SALES; warm += 1) await buy();
    const before = memoryKb(engine.process);
    const crowd = await subscribeMany(engine.url, eventId, watching);
    const kilobytesPerStream = (memoryKb(engine.process) - before) / watching;
    const seen = await sellTo(crowd, seconds, engine.process, buy);
    for (const subscriber of crowd) subscriber.close();
    const leftOpen = await openStreams(sale, engine.url);
    const tickets = await ticketsOf(sale.database, eventId);
    if (tickets !== WARM_UP_SALES + seen.sales)
      throw new Error(`${WARM_UP_SALES + seen.sales} answers of 201, but ${tickets} tickets in PostgreSQL`);
    return { who: "engine", subscribers: watching, kilobytesPerStream, leftOpen, ...seen };
  } finally {
    await engine.stop();
    await sale.database.close();
  }
}

async function floor({ watching, seconds }: AvailabilityOptions): Promise<AvailabilityResult> {
  const server = fork(fileURLToPath(new URL("stream-floor.ts", import.meta.url)));
  try {
    const [{ url }] = (await once(server, "message")) as [{ url: string }];
    let left = FLOOR_LEFT;
    server.send(left);
    const before = memoryKb(server);
    const crowd = await subscribeMany(url, randomUUID(), watching);
    const kilobytesPerStream = (memoryKb(server) - before) / watching;
    const tell = async (): Promise<void> => void server.send((left -= 1));
    const seen = await sellTo(crowd, seconds, server, tell);
    for (const subscriber of crowd) subscriber.close();
    return { who: "node:http", subscribers: watching, kilobytesPerStream, leftOpen: 0, ...seen };
  } finally {
    server.disconnect();
  }
}

/** `sell` makes one fewer. */
async function sellTo(
  crowd: readonly Subscriber[],
  seconds: number,
  server: ChildProcess,
  sell: () => Promise<void>,
): Promise<Pick<AvailabilityResult, "sales" | "seenMs" | "soldMs" | "cpuUsPerMessage">> {
  const [seenMs, soldMs]: [number[], number[]] = [[], []];
  const cpuBefore = cpuMs(server);
  const endMs = performance.now() + seconds * 1_000;
  let left = Math.min(...crowd.map((subscriber) => subscriber.left()));
  while (performance.now() < endMs) {
    left -= 1;
    const wanted = left;
    const sentMs = performance.now();
    const all = crowd.map(async (subscriber) => seenMs.push((await subscriber.sees(wanted)) - sentMs));
    await sell();
    soldMs.push(performance.now() - sentMs);
    await Promise.all(all);
    await wait(Math.max(0, SALE_EVERY_MS - (performance.now() - sentMs)));
  }
  return { sales: soldMs.length, seenMs, soldMs, cpuUsPerMessage: ((cpuMs(server) - cpuBefore) * 1_000) / seenMs.length };
}

/** What is wrong with a result, in words; empty where it is within the bounds. */
export function availabilityFaults({ who, seenMs, leftOpen, sales }: AvailabilityResult): string[] {
  const p99Ms = percentile(seenMs, 0.99);
  return [
    ...(p99Ms < SEEN_WITHIN_MS || who !== "engine"
      ? []
      : [`a sale was seen within ${p99Ms.toFixed(0)} ms at the 99th percentile, of ${SEEN_WITHIN_MS}`]),
    ...(leftOpen === 0 ? [] : [`${leftOpen} streams are held though their clients have gone`]),
    ...(sales > 0 ? [] : ["nothing was sold"]),
  ];
}

export function availabilityFigures({ seenMs, soldMs, ...result }: AvailabilityResult) {
  const of = (values: readonly number[], share: number): number => Math.round(percentile(values, share));
  return {
    ...result,
    seenMs: { p50: of(seenMs, 0.5), p95: of(seenMs, 0.95), p99: of(seenMs, 0.99), "p99.9": of(seenMs, 0.999), max: of(seenMs, 1) },
    soldMs: { p50: of(soldMs, 0.5), p99: of(soldMs, 0.99) },
  };
}

export function printAvailability(results: readonly AvailabilityResult[]): void {
  console.table(
    Object.fromEntries(
      results.map(availabilityFigures).map(({ who, subscribers, sales, seenMs, soldMs, cpuUsPerMessage, kilobytesPerStream }) => [
        who,
        {
          ...{ subscribers, sales, "seen p50 ms": seenMs.p50, "p95 ms": seenMs.p95, "p99 ms": seenMs.p99, "p99.9 ms": seenMs["p99.9"] },
          ...{ "max ms": seenMs.max, "201 p50 ms": soldMs.p50, "201 p99 ms": soldMs.p99 },
          ...{ "CPU µs/message": Number(cpuUsPerMessage.toFixed(1)), "kB/stream": Number(kilobytesPerStream.toFixed(1)) },
        },
      ]),
    ),
  );
}

function memoryKb({ pid }: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, "utf8"))?.[1] ?? 0);
}

/** Once they are none, or after five seconds. */
async function openStreams({ config }: Sale, url: string): Promise<number> {
  const sign = createAccessTokenSigner(signingKeyOf(readAccessKeys(config.accessTokenKeysDir), Date.now()).privateKey);
  const headers = { Authorization: `Bearer ${sign({ userId: randomUUID(), role: "operator", sessionId: randomUUID() })}` };
  let open = Infinity;
  for (let tries = 0; tries < 50 && open > 0; tries += 1) {
    if (tries > 0) await wait(100);
    const answer = await fetch(`${url}/api/operator/engine`, { headers });
    open = ((await answer.json()) as { streams: { open: number } }).streams.open;
  }
  return open;
}
