import type { Told } from "../../../tools/feeds/feed-record.ts";
import {
  createPictureImport,
  type PictureImport,
} from "../../../tools/pictures/import-pictures.ts";

/** Failures that are told one by one. The report has all of them. */
const TOLD_MAX = 5;

type Call = <Result>(action: string, params: object) => Promise<Result>;

export type ImageImport = Pick<PictureImport, "note" | "offer"> & {
  /** Downloads, and tells what came of it. */
  run(signal: AbortSignal): Promise<void>;
};

/** Imports pictures by the catalog's actions. `line` writes to standard output. */
export function createImageImport(
  dataDir: string,
  call: Call,
  report: (told: Told) => void,
  line: (text: string) => void,
): ImageImport {
  let told = 0;
  const pictures = createPictureImport(dataDir, {
    compare: (events) => call("catalog.compareImages", { events }),
    store: (images) => call("catalog.storeImages", { images }),
    used: (hashes) => call("catalog.usedImages", { hashes }),
    tell({ name, reason }) {
      report({ what: "picture", name, reason });
      told += 1;
      if (told <= TOLD_MAX) line(`picture, ${name}: ${reason}`);
    },
  });
  return {
    note: (records) => pictures.note(records),
    offer: (records) => pictures.offer(records),
    async run(signal) {
      const wanted = pictures.wanted();
      if (wanted > 0) console.error(`fetching ${wanted} pictures`);
      try {
        await pictures.run(signal);
      } finally {
        const { stored, unchanged, failed, left, removed } = pictures.counts;
        if (told > TOLD_MAX) line(`and ${told - TOLD_MAX} more pictures failed`);
        if (left > 0) line(`${left} pictures are left for the next import`);
        line(
          `pictures: stored ${stored}, unchanged ${unchanged}, failed ${failed}, removed ${removed}`,
        );
      }
    },
  };
}
