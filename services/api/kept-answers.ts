import { createHash } from "node:crypto";
import { accepted, type Answer } from "../../domain/refusal.ts";
import { oneFlight } from "../../mixins/one-flight.ts";

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

/** The bytes of a success, ready to send; `encoded` is filled in by whoever compresses them first. */
export type KeptAnswer = { body: Buffer; etag: string; encoded: Map<string, Promise<Uint8Array>> };

/** Answers from bytes that are fresh, from the catalogue, and from bytes that had to stand in for it. */
export type GatewayCounts = { hits: number; misses: number; stale: number; notModified: number };

export type KeptAnswers = {
  /** The answer to the question `key` names, from here or from `ask`, which is under way once per key at most. Rejects where `ask` does and nothing is kept. */
  answer(key: string, ask: () => Promise<Answer<unknown>>): Promise<Answer<KeptAnswer>>;
};

type Entry = { answer: KeptAnswer; askedAtMs: number; failedAtMs: number | undefined };

/**
 * The outermost layer of searches: bytes by question, for everybody, since what is kept is what a stranger may read. Age counts from the asking. It
 * holds no more than `bytesMax` of bodies and forgets what was not asked for the longest.
 */
export function createKeptAnswers(counts: GatewayCounts, bytesMax = BYTES_MAX, now = () => performance.now()): KeptAnswers {
  const entries = new Map<string, Entry>();
  const flights = oneFlight<Answer<KeptAnswer>>();
  let bytes = 0;

  const forget = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    bytes -= sizeOf(key, entry);
  };
  const keep = (key: string, entry: Entry): void => {
    forget(key);
    entries.set(key, entry);
    bytes += sizeOf(key, entry);
    for (const oldest of entries.keys()) {
      if (bytes <= bytesMax) break;
      forget(oldest);
    }
  };
  const fill = (key: string, ask: () => Promise<Answer<unknown>>): Promise<Answer<KeptAnswer>> =>
    flights(key, async () => {
      const askedAtMs = now();
      let answer: Answer<unknown>;
      try {
        answer = await ask();
      } catch (error) {
        forget(key);
        throw error;
      }
      if (answer.ok) {
        const before = entries.get(key)?.answer;
        let kept = keptAnswer(answer.value);
        // Nothing has changed: what was compressed need not be compressed again.
        if (before?.etag === kept.etag) kept = before;
        keep(key, { answer: kept, askedAtMs, failedAtMs: undefined });
        return accepted(kept);
      }
      const entry = entries.get(key);
      if (answer.refusal.code !== "TRY_AGAIN") forget(key);
      else if (entry !== undefined) entry.failedAtMs = now();
      return answer;
    });

  return {
    async answer(key, ask) {
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
      const filled = await fill(key, ask);
      if (!filled.ok && filled.refusal.code === "TRY_AGAIN" && standsIn) {
        counts.stale += 1;
        return accepted(entry.answer);
      }
      counts.misses += 1;
      return filled;
    },
  };
}

export function newGatewayCounts(): GatewayCounts {
  return { hits: 0, misses: 0, stale: 0, notModified: 0 };
}

function keptAnswer(value: unknown): KeptAnswer {
  const body = Buffer.from(JSON.stringify(value));
  // Weak, since compressed bytes are other bytes of the same answer.
  return { body, etag: `W/"${createHash("sha1").update(body).digest("base64url")}"`, encoded: new Map() };
}

/** Twice the body for what it is compressed to, twice the key for the map. */
function sizeOf(key: string, { answer }: Entry): number {
  return 2 * answer.body.length + 4 * key.length + 200;
}
