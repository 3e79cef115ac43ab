import {
  COMPARED_MAX,
  type EventImage,
  type FeedImage,
  type KnownImage,
  type NewImage,
} from "../../domain/event-image.ts";
import { EVENT_LIMITS, type EventRecord } from "../../domain/event-record.ts";
import { eventId } from "../../lib/ids.ts";
import type { FeedRecord } from "../feeds/feed-record.ts";
import { type DownloadLimits, downloadPicture, type Network } from "./download-picture.ts";
import { PictureError } from "./picture-error.ts";
import { createPictureStore } from "./picture-store.ts";
import { resizePicture } from "./resize-picture.ts";

/** Downloads at once: polite to one server, and enough for several. */
const DOWNLOADS_MAX = 4;
/** Addresses of one import, for its memory. The rest comes with the next import. */
const WANTED_MAX = 100_000;
/** Pictures that the catalog hears of together, because each call makes its copies stale. */
const STORED_TOGETHER = 20;

export type PictureHooks = {
  /** What the catalog has for events of the feed, in order. */
  compare(events: readonly FeedImage[]): Promise<readonly (KnownImage | null)[]>;
  store(images: readonly NewImage[]): Promise<unknown>;
  used: (hashes: readonly string[]) => Promise<readonly string[]>;
  /** Called for each address whose picture was not stored. */
  tell(failure: { name: string; reason: string }): void;
};

/** Counts events, and of `removed` pictures. `left`: more addresses than one import fetches. */
export type PictureCounts = {
  stored: number;
  unchanged: number;
  failed: number;
  left: number;
  removed: number;
};

export type PictureImport = {
  counts: PictureCounts;
  /** Passes records on, and notes the addresses of their pictures. */
  note(records: AsyncIterable<FeedRecord>): AsyncGenerator<FeedRecord>;
  /** Asks which pictures of records that the catalog has taken are new. */
  offer(records: readonly EventRecord[]): Promise<void>;
  /** Addresses that `run` downloads. */
  wanted(): number;
  /**
   * Downloads new pictures and removes old ones. A picture that fails is counted; the event keeps
   * the one that it has. When aborted, it stores what it has and removes nothing.
   */
  run(signal: AbortSignal): Promise<void>;
};

/** Imports the pictures of a feed after its events. `network` and `limits` are for tests. */
export function createPictureImport(
  dataDir: string,
  hooks: PictureHooks,
  { network, limits }: { network?: Network; limits?: DownloadLimits } = {},
): PictureImport {
  const store = createPictureStore(dataDir);
  const counts: PictureCounts = { stored: 0, unchanged: 0, failed: 0, left: 0, removed: 0 };
  const noted = new WeakMap<EventRecord, { name: string; url: string | null }>();
  const wanted = new Map<string, { name: string; eventIds: string[] }>();
  const withoutPicture: string[] = [];

  const want = (url: string, name: string, id: string): void => {
    const known = wanted.get(url);
    if (known !== undefined) known.eventIds.push(id);
    else if (wanted.size < WANTED_MAX) wanted.set(url, { name, eventIds: [id] });
    else counts.left += 1;
  };

  const fetchOne = async (url: string, signal: AbortSignal): Promise<EventImage> => {
    const options = { signal, ...(network && { network }), ...(limits && { limits }) };
    return store.keep(await resizePicture(await downloadPicture(url, options)));
  };
  const fetchAll = async (signal: AbortSignal): Promise<void> => {
    const left = wanted.entries();
    let done: NewImage[] = [];
    const flush = async (): Promise<void> => {
      const images = done;
      done = [];
      for (const part of partsOf(images)) await hooks.store(part);
      counts.stored += images.length;
    };
    const worker = async (): Promise<void> => {
      for (const [url, { name, eventIds }] of left) {
        if (signal.aborted) return;
        try {
          const image = await fetchOne(url, signal);
          done.push(...eventIds.map((id) => ({ eventId: id, url, image })));
        } catch (error) {
          if (signal.aborted) return;
          counts.failed += eventIds.length;
          hooks.tell({ name, reason: reasonOf(error) });
        }
        if (done.length >= STORED_TOGETHER) await flush();
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: DOWNLOADS_MAX }, worker));
    await flush();
    for (const ended of workers) if (ended.status === "rejected") throw ended.reason;
  };

  return {
    counts,

    async *note(records) {
      for await (const record of records) {
        if ("event" in record) {
          const { event, name, image = null } = record;
          noted.set(event, { name, url: image });
        }
        yield record;
      }
    },

    async offer(records) {
      const events = records.flatMap((record) => {
        const image = noted.get(record);
        if (image === undefined) return [];
        const { name, url } = image;
        return [{ name, url, asked: { ...idsOf(record), url } }];
      });
      for (const { name, url } of events.filter(isTooLong)) {
        counts.failed += 1;
        hooks.tell({ name, reason: `its address has ${url?.length ?? 0} characters` });
      }
      for (const part of partsOf(events.filter((event) => !isTooLong(event)))) {
        const known = await hooks.compare(part.map(({ asked }) => asked));
        for (const [index, stored] of known.entries()) {
          const { name = "", url = null } = part[index] ?? {};
          // A refused record has no event.
          if (stored === null) continue;
          const { eventId: id, same, hash } = stored;
          if (url === null) {
            if (!same || hash !== null) withoutPicture.push(id);
          } else if (same && hash !== null && (await store.has(hash))) counts.unchanged += 1;
          else want(url, name, id);
        }
      }
    },

    wanted: () => wanted.size,

    async run(signal) {
      const none = withoutPicture.map((id) => ({ eventId: id, url: null, image: null }));
      for (const part of partsOf(none)) await hooks.store(part);
      await fetchAll(signal);
      if (signal.aborted) return;
      counts.removed = await store.removeUnused(hooks.used, Date.now());
    },
  };
}

function idsOf({ otherId, ...record }: EventRecord): { eventId: string; otherId?: string } {
  const { source } = record;
  return {
    eventId: eventId(record),
    ...(otherId !== undefined && { otherId: eventId({ source, sourceId: otherId }) }),
  };
}

function isTooLong({ url }: { url: string | null }): boolean {
  return url !== null && url.length > EVENT_LIMITS.url;
}

/** Parts as large as one call to the catalog may be. */
function partsOf<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  for (let start = 0; start < items.length; start += COMPARED_MAX)
    parts.push(items.slice(start, start + COMPARED_MAX));
  return parts;
}

function reasonOf(error: unknown): string {
  if (error instanceof PictureError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  return `it cannot be stored (${code ?? message})`;
}
