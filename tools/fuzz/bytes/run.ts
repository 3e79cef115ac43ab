import { setTimeout as delay } from "node:timers/promises";
import { readAnswers } from "./answers.ts";
import { type ByteStream, byteStream } from "./byte-streams.ts";
import { exchange } from "./exchange.ts";
import { differenceOf, type Explanations } from "./explained.ts";
import type { FuzzServers } from "./servers.ts";

export type BytesOptions = {
  servers: FuzzServers;
  streams: number;
  seed: number;
  isTls?: boolean;
  /** nginx passes the streams on. */
  isProxied?: boolean;
  /** Of so many streams the client sends no more and waits for the server's time-out. */
  held?: number;
  progress?: (done: number) => void;
};

export type BytesReport = {
  streams: number;
  /** Answers of the gateway by status. */
  statuses: Record<string, number>;
  explanations: Explanations;
  /** Streams with differences, broken answers, answers of others, connections without an end. */
  faults: string[];
  /** Held by the servers at the end. */
  connections: number;
  rssBytes: { before: number; after: number };
};

const AT_ONCE = 32;
const FAULTS_MAX = 20;
/** Share of the streams before memory is measured: code is compiled, pools are full. */
const WARM_UP = 0.25;
const EMPTY_WITHIN_MS = 5_000;
const POLL_MS = 50;

/** Sends each stream to the gateway and to Node's plain server, and compares the answers. */
export async function fuzzBytes(options: BytesOptions): Promise<BytesReport> {
  const { servers, streams, seed, held = 0, progress } = options;
  const report: BytesReport = {
    streams: 0,
    statuses: {},
    explanations: new Map(),
    faults: [],
    connections: 0,
    rssBytes: { before: 0, after: 0 },
  };
  const waiting = Array.from({ length: held }, (_, index) =>
    tryStream(options, { ...byteStream(seed - 1 - index), end: "hold" }, report),
  );
  let next = 0;
  const runTo = async (last: number): Promise<void> => {
    const worker = async (): Promise<void> => {
      while (next < last && report.faults.length < FAULTS_MAX && servers.ended() === undefined) {
        await tryStream(options, byteStream(seed + next++), report);
        report.streams += 1;
        progress?.(report.streams);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  };
  await runTo(Math.floor(streams * WARM_UP));
  if (servers.ended() === undefined) report.rssBytes.before = (await servers.held()).rssBytes;
  await runTo(streams);
  await Promise.all(waiting);
  const end = servers.ended();
  if (end !== undefined) {
    report.faults.push(`the servers' process ended (${end}) near seed ${seed + next}`);
    return report;
  }
  const emptyByMs = performance.now() + EMPTY_WITHIN_MS;
  let left = await servers.held();
  while (left.connections > 0 && performance.now() < emptyByMs) {
    await delay(POLL_MS);
    left = await servers.held();
  }
  report.connections = left.connections;
  report.rssBytes.after = left.rssBytes;
  return report;
}

async function tryStream(
  { servers, isTls = false, isProxied = false }: BytesOptions,
  stream: ByteStream,
  report: BytesReport,
): Promise<void> {
  const fault = (what: string): void => {
    const bytes = Buffer.concat(stream.chunks).toString("latin1").slice(0, 600);
    report.faults.push(`${stream.name} (${stream.end}): ${what}\n    ${JSON.stringify(bytes)}`);
  };
  const [plain, gateway] = await Promise.all([
    exchange(servers.plain, stream, isTls),
    exchange(servers.gateway, stream, isTls),
  ]);
  if (!gateway.closed) fault("the connection was not closed");
  if (stream.end === "reset" || stream.end === "unread") return;
  const [fromPlain, here] = [plain, gateway].map(({ bytes }) => readAnswers(bytes, stream.isHead));
  if (fromPlain === undefined || here === undefined) return;
  for (const { status } of here.answers)
    report.statuses[status] = (report.statuses[status] ?? 0) + 1;
  // nginx leaves out the head for a client of HTTP/0.9.
  const isHeadless = isProxied && here.broken?.startsWith("no head") === true;
  if (here.broken !== undefined && !gateway.reset && !isHeadless) fault(here.broken);
  const foreign = here.answers.find(
    ({ id }) => id?.startsWith("fuzz-") === true && !id.startsWith(`${stream.name}-`),
  );
  if (foreign !== undefined) fault(`it got the answer to ${foreign.id}`);
  // A reset drops answers, and the end of a TLS client ends both sides.
  const lost = plain.reset || gateway.reset || isTls;
  const difference = differenceOf(
    stream,
    fromPlain,
    here,
    { lost, isProxied },
    report.explanations,
  );
  if (difference !== undefined) fault(difference);
}
