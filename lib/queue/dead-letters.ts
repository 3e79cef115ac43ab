import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { type ConfirmChannel, connect, type GetMessage } from "amqplib";
import { plainText } from "../observability/audit-log.ts";
import { withTimeout } from "../concurrency/clock.ts";
import { withHeartbeat } from "./connection.ts";
import {
  declareTopology,
  readMessage,
  type Topology,
  type TransactionMessage,
} from "./topology.ts";

export type DeadLetter = {
  /** Hash of the content. Messages with the same content share it. */
  id: string;
  /** When it became a dead letter, ISO 8601 in whole seconds. Null if RabbitMQ gave no time. */
  received: string | null;
  /** How often it became a dead letter. */
  deaths: number;
  /** RabbitMQ's reason: `delivery_limit`, `rejected`, … */
  reason: string;
  readable: boolean;
  bytes: number;
  /** Start of the content, without control characters and secrets. */
  content: string;
};
/** `ca` as in `openQueueConnection`. */
export type Messenger = { url: string; ca?: string | undefined; topology: Topology };
/** Undefined keeps the message. */
export type Disposition = "replay" | "discard" | undefined;

/** Limits the wait for each answer of a frozen RabbitMQ. */
const STEP_MS = 2_000;
const CONTENT_BYTES = 600;
/** Limits the wait for the kept letters to be back in the queue. Another reader may hold them. */
const BACK_MS = 1_000;
/**
 * RabbitMQ 4 drops a message after 20 deliveries even from a queue without a limit, and a look is a
 * delivery. After half as many the letter is written anew, so that its count starts again.
 */
const LOOKS_MAX = 10;
const DEATHS = "boxoffice-deaths";
const DIED_AT = "boxoffice-died-at";
const REASON = "boxoffice-reason";

/**
 * RabbitMQ is down, frozen, or refused a message. The work is done in part or not at all, and may
 * be repeated.
 */
class MessengerAway extends Error {}

type Session = { channel: ConfirmChannel; returned: Set<string>; broken: Promise<never> };

/**
 * Shows the oldest `limit` dead letters that were in the queue at the beginning, one in memory at a
 * time. `judge` decides what happens to each.
 *
 * Kept letters go back to the queue when it ends, also after an error, and are back before it
 * resolves. A replayed letter is confirmed in the transaction queue before it leaves the dead
 * letters: it may be in both, never in neither. `waiting`: dead letters at the beginning.
 * Undefined: RabbitMQ is down.
 */
export async function overDeadLetters(
  messenger: Messenger,
  limit: number,
  decide: (letter: DeadLetter, message: TransactionMessage | undefined) => Promise<Disposition>,
): Promise<{ waiting: number } | undefined> {
  try {
    return await withChannel(messenger, async (session) => {
      const { queue, deadQueue } = messenger.topology;
      const { channel } = session;
      const { messageCount: waiting } = await inTime(session, channel.checkQueue(deadQueue));
      let left = waiting;
      for (let seen = 0; seen < Math.min(limit, waiting); seen += 1) {
        const raw = await inTime(session, channel.get(deadQueue));
        if (raw === false) break;
        const letter = describe(raw);
        const fate = await decide(letter, readMessage(raw.content));
        if (fate === "replay") await publish(session, queue, raw, letter);
        const worn =
          fate === undefined &&
          Number(raw.properties.headers?.["x-delivery-count"] ?? 0) >= LOOKS_MAX;
        if (worn) await publish(session, deadQueue, raw, letter);
        if (fate !== undefined || worn) channel.ack(raw);
        if (fate !== undefined) left -= 1;
      }
      await giveBack(session, deadQueue, left);
      return { waiting };
    });
  } catch (error) {
    if (error instanceof MessengerAway) return undefined;
    throw error;
  }
}

/**
 * A quorum queue logs returned messages only after the channel is closed. On a slow disk the next
 * look would find none of them.
 */
async function giveBack(session: Session, queue: string, left: number): Promise<void> {
  session.channel.nackAll();
  const endMs = performance.now() + BACK_MS;
  while (
    (await inTime(session, session.channel.checkQueue(queue))).messageCount < left &&
    performance.now() < endMs
  )
    await wait(10);
}

async function withChannel<T>(
  { url, ca, topology }: Messenger,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const model = await connect(withHeartbeat(url), {
    timeout: STEP_MS,
    noDelay: true,
    ...(ca === undefined ? {} : { ca }),
    clientProperties: { connection_name: "boxoffice-dead-letters" },
  }).catch((error: unknown) => {
    throw new MessengerAway(String(error));
  });
  // After a channel has ended its pending answers never come.
  const broken = new Promise<never>((_, reject) => {
    model.on("error", (error) => reject(new MessengerAway(String(error))));
    model.on("close", () => reject(new MessengerAway("the connection was closed")));
  });
  broken.catch(() => undefined);
  const returned = new Set<string>();
  try {
    const channel = await inTime({ broken }, model.createConfirmChannel());
    channel.on("error", () => undefined);
    channel.on("close", () => void model.close().catch(() => undefined));
    channel.on("return", (message: GetMessage) =>
      returned.add(String(message.properties.messageId)),
    );
    await inTime({ broken }, declareTopology(channel, topology));
    const session = { channel, returned, broken };
    const result = await work(session);
    // When the channel has closed, RabbitMQ has received all acknowledgements.
    await inTime(session, channel.close());
    return result;
  } finally {
    await inTime({ broken }, model.close()).catch(() => undefined);
  }
}

async function inTime<T>({ broken }: Pick<Session, "broken">, step: PromiseLike<T>): Promise<T> {
  const answer = Promise.resolve(step).then((value) => ({ value }), asAway);
  const inTime = await withTimeout(Promise.race([answer, broken]), STEP_MS);
  if (inTime === undefined) throw new MessengerAway("no answer");
  return inTime.value;
}

function asAway(error: unknown): never {
  throw new MessengerAway(error instanceof Error ? error.message : String(error));
}

/**
 * Resolves when RabbitMQ has the message in the queue. Its own headers are dropped: its delivery
 * count would make the first delivery the last.
 */
async function publish(
  session: Session,
  queue: string,
  raw: GetMessage,
  letter: DeadLetter,
): Promise<void> {
  const { channel, returned } = session;
  const messageId = letter.id;
  const headers = { [DEATHS]: letter.deaths, [DIED_AT]: letter.received, [REASON]: letter.reason };
  const confirmed = new Promise<void>((resolve, reject) => {
    channel.publish(
      "",
      queue,
      raw.content,
      { persistent: true, mandatory: true, messageId, headers },
      (error: unknown) =>
        error === null || error === undefined
          ? resolve()
          : reject(new MessengerAway("RabbitMQ refused the message")),
    );
  });
  await inTime(session, confirmed);
  if (returned.delete(messageId)) throw new MessengerAway(`unknown queue ${queue}`);
}

type Death = { count?: number; reason?: string; time?: { value?: number } };

function describe({ content, properties }: GetMessage): DeadLetter {
  const headers: Record<string, unknown> = properties.headers ?? {};
  const deaths = (Array.isArray(headers["x-death"]) ? headers["x-death"] : []) as Death[];
  const diedAt = deaths[0]?.time?.value;
  const earlier = typeof headers[DEATHS] === "number" ? headers[DEATHS] : 0;
  const ours = (name: string): string | undefined =>
    typeof headers[name] === "string" ? headers[name] : undefined;
  return {
    id: createHash("sha256").update(content).digest("hex").slice(0, 16),
    received:
      diedAt === undefined ? (ours(DIED_AT) ?? null) : new Date(diedAt * 1_000).toISOString(),
    deaths: earlier + deaths.reduce((sum, { count = 1 }) => sum + count, 0),
    reason: plainText(deaths[0]?.reason ?? ours(REASON)) ?? "unknown",
    readable: readMessage(content) !== undefined,
    bytes: content.length,
    content: plainText(content.subarray(0, CONTENT_BYTES).toString("utf8")) ?? "",
  };
}
