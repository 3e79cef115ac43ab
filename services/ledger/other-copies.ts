import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../../mixins/database.ts";
import { GENERATION_KEY } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import { COPY_KINDS, type CopyKind, type Said } from "./copy-kinds.ts";
import type { Difference } from "./differences.ts";

/** Keys in one step through Redis; their texts are in memory together, half a megabyte. */
const PAGE = 1_000;
/** A copy that follows its truth a moment later is not wrong. */
const GRACE_MS = 500;

/** KEYS[1]: a copy. ARGV[1]: the text it must still hold. Answers 1 when it was deleted. A writer that came meanwhile is newer, and stays. */
const DELETE_IF_SAME = `
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call("DEL", KEYS[1])`;

export type CopiesChecked = { differences: Difference[]; more: number; compared: boolean };
type Suspect = { key: string; text: string; eventId: string; id: string; sentence: string };

/**
 * Walks the copies of events, tickets and transactions in Redis, a thousand keys at a time, and compares each that a reader would trust with PostgreSQL, read
 * after it. One that is still wrong a little later is deleted if `mend`: readers then ask PostgreSQL. Copies that are
 * absent are no difference; those of events that are not `known` may be another engine's, and are left alone.
 */
export async function checkOtherCopies(
  database: Database,
  redis: RedisClient,
  { eventId, known, mend, listedMax }: { eventId: string | undefined; known: ReadonlySet<string>; mend: boolean; listedMax: number },
): Promise<CopiesChecked> {
  const result: CopiesChecked = { differences: [], more: 0, compared: true };
  for (const kind of COPY_KINDS) {
    const pattern = `${kind.prefix}{${eventId ?? "*"}}${kind.perEvent ? "" : ":*"}`;
    for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
      const page = await overAway(() => redis.scan(cursor, "MATCH", pattern, "COUNT", PAGE));
      const suspects =
        page &&
        (await suspectsIn(
          database,
          redis,
          kind,
          page[1].filter((key) => known.has(kind.key.exec(key)?.[1] ?? "")),
        ));
      if (page === undefined || suspects === undefined) return { ...result, compared: false };
      cursor = page[0];
      if (suspects.length === 0) continue;
      await wait(GRACE_MS);
      const again = await suspectsIn(
        database,
        redis,
        kind,
        suspects.map(({ key }) => key),
      );
      const lasting = again?.filter(({ key, text }) => suspects.some((suspect) => suspect.key === key && suspect.text === text)) ?? [];
      for (const suspect of lasting) {
        const mended = mend && (await overAway(() => redis.eval(DELETE_IF_SAME, 1, suspect.key, suspect.text))) === 1;
        if (result.differences.length >= listedMax) result.more += 1;
        else result.differences.push(differenceOf(kind, suspect, mended));
      }
    }
  }
  return result;
}

async function suspectsIn(database: Database, redis: RedisClient, kind: CopyKind, keys: readonly string[]): Promise<Suspect[] | undefined> {
  const run = redis.runId();
  if (run === undefined) return undefined;
  const wanted = keys.flatMap((key) => {
    const match = kind.key.exec(key);
    return match?.[1] === undefined ? [] : [{ key, eventId: match[1], id: match[2] ?? match[1] }];
  });
  if (wanted.length === 0) return [];
  const texts = await overAway(() => redis.mget(GENERATION_KEY, ...wanted.map(({ key }) => key)));
  if (texts === undefined) return undefined;
  const copies = wanted.flatMap((copy, index) => {
    const text = texts[index + 1];
    const said = typeof text === "string" ? kind.read(text, { run, generation: texts[0] ?? null }) : undefined;
    return said === undefined || typeof text !== "string" ? [] : [{ ...copy, text, said }];
  });
  if (copies.length === 0) return [];
  const rows = await database.query<{ id: string } & Said>({ text: kind.truth, values: [copies.map(({ id }) => id)] });
  const truths = new Map(rows.map((row) => [row.id, row]));
  return copies.flatMap(({ said, ...copy }) => {
    const sentence = kind.compare(said, truths.get(copy.id), copy.eventId);
    return sentence === undefined ? [] : [{ ...copy, sentence }];
  });
}

function differenceOf(kind: CopyKind, { eventId, id, sentence }: Suspect, mended: boolean): Difference {
  return {
    kind: kind.kind,
    eventId,
    ...(kind.kind === "transaction-copy" && { transactionId: id }),
    expected: 0,
    found: 1,
    mended,
    sentence: `${sentence} ${mended ? "The copy was deleted; readers ask PostgreSQL." : "The copy was left."}`,
  };
}

/** Redis's answer, or undefined while it is away. */
async function overAway<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}
