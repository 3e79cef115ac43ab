import { LRUCache } from "lru-cache";
import sharp from "sharp";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import { createConcurrencyLimit } from "../../../lib/concurrency/concurrency-limit.ts";
import { createSingleFlight } from "../../../lib/concurrency/single-flight.ts";
import { COVER } from "./event-metadata.ts";
import type { PageEvent, PagePainter } from "./painted-pages.ts";

const BYTES_MAX = 16 * 1_024 * 1_024;
/** One at a time: a picture takes about 50 ms of one core, and requests share the cores. */
const RUNNING_MAX = 1;
const WAITING_MAX = 50;

/** Draws the picture of an event as a PNG. Can refuse with: TRY_AGAIN (too many are waiting). */
export type CoverImages = (event: Pick<PageEvent, "id" | "type">) => Promise<Answer<Uint8Array>>;

/** Draws pictures once and keeps the last ones, `BYTES_MAX` in all. */
export function createCoverImages(painter: PagePainter): CoverImages {
  const drawn = new LRUCache<string, Uint8Array>({
    maxSize: BYTES_MAX,
    sizeCalculation: ({ length }) => length,
  });
  const inTurn = createConcurrencyLimit({ running: RUNNING_MAX, waiting: WAITING_MAX });
  const inFlight = createSingleFlight<Answer<Uint8Array>>();
  return async ({ id, type }) => {
    const key = `${id} ${type}`;
    const known = drawn.get(key);
    if (known !== undefined) return accepted(known);
    return inFlight(key, () =>
      inTurn(async () => {
        const svg = Buffer.from(painter.coverDocument({ id, type }));
        // Twice the density of the final size, which sharp scales down.
        const image = await sharp(svg, { density: 288 })
          .resize(COVER.width, COVER.height, { fit: "cover" })
          .png({ palette: true, colours: 64 })
          .toBuffer();
        drawn.set(key, image);
        return accepted(image);
      }),
    );
  };
}
