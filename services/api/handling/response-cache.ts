import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import { createSingleFlight } from "../../../lib/concurrency/single-flight.ts";
import type { Reply } from "../../../lib/http/problem-details.ts";
import type { Encoding } from "../http/compression.ts";

/** Old enough to be asked for again. */
const FRESH_MS = 750;
/**
 * Until then whoever comes gets what is there while it is asked for again, so that in a rush nobody stands in line for a popular question. With a second
 * in the client's own cache what is left to sell is two seconds old at most.
 */
const RENEWED_MS = 1_000;
/** So long an answer stands in where the catalogue cannot give a newer one. */
const STALE_MS = 600_000;
/** While it cannot, it is asked this often. */
const RETRY_MS = 500;
const BYTES_MAX = 32 * 1_024 * 1_024;

/** A success, ready to send; `replies`, by encoding, is filled in by whoever sends it so first, with a promise until the bytes are there. */
export type CachedResponse = {
  body: Buffer;
  etag: string;
  replies: Map<Encoding | "identity", Reply | Promise<Reply>>;
};

/** Answers from bytes that are fresh, from the catalogue, and from bytes that had to stand in for it. */
export type GatewayCounts = { hits: number; misses: number; stale: number; notModified: number };

export type ResponseCache = {
  /**
   * The answer to the question `key` names, at once from here or from `ask`, which is under way once per key at most. Rejects where `ask` does and nothing
   * is kept.
   */
  answer(
    key: string,
    ask: () => Promise<Answer<unknown>>,
  ): Answer<CachedResponse> | Promise<Answer<CachedResponse>>;
};

type Entry = { answer: CachedResponse; askedAtMs: number; failedAtMs: number | undefined };

/**
 * The outermost layer of searches: bytes by question, for everybody, since what is kept is what a stranger may read. Age counts from the asking. It
 * holds no more than `bytesMax` of bodies and forgets what was not asked for the longest.
 */
export function createResponseCache(
  counts: GatewayCounts,
  bytesMax = BYTES_MAX,
  now = () => performance.now(),
): ResponseCache {
  /** Twice the body for what it is sent as, twice the key for the map, and some for the heads of replies. */
  const sizeOf = ({ answer }: Entry, key: string): number =>
    2 * answer.body.length + 4 * key.length + 1_500;
  const entries = new LRUCache<string, Entry>({ maxSize: bytesMax, sizeCalculation: sizeOf });
  const flights = createSingleFlight<Answer<CachedResponse>>();
  /** What has been spelled out, for as long as the catalogue has it too. */
  const spelled = new WeakMap<object, CachedResponse>();

  const spell = (value: unknown, before: CachedResponse | undefined): CachedResponse => {
    const known = isObject(value) ? spelled.get(value) : undefined;
    if (known !== undefined) return known;
    const now = keptAnswer(value);
    // Nothing has changed: what was compressed need not be compressed again.
    const kept = before?.etag === now.etag ? before : now;
    if (isObject(value)) spelled.set(value, kept);
    return kept;
  };
  const fill = (
    key: string,
    ask: () => Promise<Answer<unknown>>,
  ): Promise<Answer<CachedResponse>> =>
    flights(key, async () => {
      const askedAtMs = now();
      let answer: Answer<unknown>;
      try {
        answer = await ask();
      } catch (error) {
        entries.delete(key);
        throw error;
      }
      if (answer.ok) {
        const kept = spell(answer.value, entries.peek(key)?.answer);
        entries.set(key, { answer: kept, askedAtMs, failedAtMs: undefined });
        return accepted(kept);
      }
      const entry = entries.peek(key);
      if (answer.refusal.code !== "TRY_AGAIN") entries.delete(key);
      else if (entry !== undefined) entry.failedAtMs = now();
      return answer;
    });

  return {
    answer(key, ask) {
      const nowMs = now();
      const entry = entries.get(key);
      const ageMs = entry === undefined ? Infinity : nowMs - entry.askedAtMs;
      if (entry !== undefined && ageMs < FRESH_MS) {
        counts.hits += 1;
        return accepted(entry.answer);
      }
      if (entry !== undefined && ageMs < RENEWED_MS && entry.failedAtMs === undefined) {
        // Whatever comes of it is told to who asks next.
        fill(key, ask).catch(() => undefined);
        counts.hits += 1;
        return accepted(entry.answer);
      }
      const standsIn = entry !== undefined && ageMs < STALE_MS;
      // Nobody waits for a catalogue that was just seen to be away, where there is something to give.
      if (standsIn && entry.failedAtMs !== undefined) {
        if (nowMs - entry.failedAtMs >= RETRY_MS) fill(key, ask).catch(() => undefined);
        counts.stale += 1;
        return accepted(entry.answer);
      }
      return fill(key, ask).then((filled) => {
        if (!filled.ok && filled.refusal.code === "TRY_AGAIN" && standsIn) {
          counts.stale += 1;
          return accepted(entry.answer);
        }
        counts.misses += 1;
        return filled;
      });
    },
  };
}

export function newGatewayCounts(): GatewayCounts {
  return { hits: 0, misses: 0, stale: 0, notModified: 0 };
}

function keptAnswer(value: unknown): CachedResponse {
  const body = Buffer.from(JSON.stringify(value));
  // Weak, since compressed bytes are other bytes of the same answer.
  return {
    body,
    etag: `W/"${createHash("sha1").update(body).digest("base64url")}"`,
    replies: new Map(),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
