import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import { createSingleFlight } from "../../../lib/concurrency/single-flight.ts";
import type { Reply } from "../../../lib/http/problem-details.ts";
import type { Encoding } from "../http/compression.ts";

/** Up to this age a response is served as it is. */
const FRESH_MS = 750;
/**
 * Stale-while-revalidate: up to this age the cached response is served and refreshed in the
 * background. With a second in the client's cache, availability is at most two seconds old.
 */
const REVALIDATED_MS = 1_000;
/** Stale-if-error: up to this age a response is served while the catalog cannot answer. */
const STALE_MS = 600_000;
/** Pause between calls to a catalog that cannot answer. */
const RETRY_MS = 500;
const BYTES_MAX = 32 * 1_024 * 1_024;

/** An encoded success. `replies` holds the reply per encoding, or its promise while it is made. */
export type CachedResponse = {
  body: Buffer;
  etag: string;
  replies: Map<Encoding | "identity", Reply | Promise<Reply>>;
};

/** Responses from fresh bytes, from the catalog, and from stale bytes. */
export type GatewayCounts = { hits: number; misses: number; stale: number; notModified: number };

export type ResponseCache = {
  /**
   * Answers from the cache or by `fetch`, which runs at most once per key at a time. Rejects if
   * `fetch` rejects and nothing is cached.
   */
  answer(
    key: string,
    fetch: () => Promise<Answer<unknown>>,
  ): Answer<CachedResponse> | Promise<Answer<CachedResponse>>;
};

type Entry = { answer: CachedResponse; fetchedAtMs: number; failedAtMs: number | undefined };

/**
 * Caches encoded responses by query, for all callers: routes of the cache are public. An entry's
 * age counts from the call. Holds at most `bytesMax` and evicts the least recently used. See
 * docs/decisions/0017-response-cache-of-one-second-in-the-gateway.md.
 */
export function createResponseCache(
  counts: GatewayCounts,
  bytesMax = BYTES_MAX,
  nowMs = () => performance.now(),
): ResponseCache {
  /** Twice the body for its replies, twice the key for the map, and the headers. */
  const sizeOf = ({ answer }: Entry, key: string): number =>
    2 * answer.body.length + 4 * key.length + 1_500;
  const entries = new LRUCache<string, Entry>({ maxSize: bytesMax, sizeCalculation: sizeOf });
  const inFlight = createSingleFlight<Answer<CachedResponse>>();
  /** Encoded values, as long as the catalog shares the object. */
  const encoded = new WeakMap<object, CachedResponse>();

  const encode = (value: unknown, previous: CachedResponse | undefined): CachedResponse => {
    const known = isObject(value) ? encoded.get(value) : undefined;
    if (known !== undefined) return known;
    const next = cachedResponse(value);
    // Unchanged: its compressed replies can be used again.
    const cached = previous?.etag === next.etag ? previous : next;
    if (isObject(value)) encoded.set(value, cached);
    return cached;
  };
  const fill = (
    key: string,
    fetch: () => Promise<Answer<unknown>>,
  ): Promise<Answer<CachedResponse>> =>
    inFlight(key, async () => {
      const fetchedAtMs = nowMs();
      let answer: Answer<unknown>;
      try {
        answer = await fetch();
      } catch (error) {
        entries.delete(key);
        throw error;
      }
      if (answer.ok) {
        const cached = encode(answer.value, entries.peek(key)?.answer);
        entries.set(key, { answer: cached, fetchedAtMs, failedAtMs: undefined });
        return accepted(cached);
      }
      const entry = entries.peek(key);
      if (answer.refusal.code !== "TRY_AGAIN") entries.delete(key);
      else if (entry !== undefined) entry.failedAtMs = nowMs();
      return answer;
    });
  const fillInBackground = (key: string, fetch: () => Promise<Answer<unknown>>): void => {
    // The next request sees the result.
    fill(key, fetch).catch(() => undefined);
  };

  return {
    answer(key, fetch) {
      const askedAtMs = nowMs();
      const entry = entries.get(key);
      const ageMs = entry === undefined ? Infinity : askedAtMs - entry.fetchedAtMs;
      if (entry !== undefined && ageMs < FRESH_MS) {
        counts.hits += 1;
        return accepted(entry.answer);
      }
      if (entry !== undefined && ageMs < REVALIDATED_MS && entry.failedAtMs === undefined) {
        fillInBackground(key, fetch);
        counts.hits += 1;
        return accepted(entry.answer);
      }
      const usable = entry !== undefined && ageMs < STALE_MS;
      // The catalog just failed: do not wait for it again while there is a stale response.
      if (usable && entry.failedAtMs !== undefined) {
        if (askedAtMs - entry.failedAtMs >= RETRY_MS) fillInBackground(key, fetch);
        counts.stale += 1;
        return accepted(entry.answer);
      }
      return fill(key, fetch).then((filled) => {
        if (!filled.ok && filled.refusal.code === "TRY_AGAIN" && usable) {
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

/** Encodes a value: bytes as they are, all else as JSON. */
export function cachedResponse(value: unknown): CachedResponse {
  const body = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  // Weak, since compressed bytes are other bytes of the same response.
  const etag = `W/"${createHash("sha1").update(body).digest("base64url")}"`;
  return { body, etag, replies: new Map() };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
