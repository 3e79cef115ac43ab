import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type EventImage,
  hashOfFile,
  IMAGE_FOLDER,
  IMAGE_WIDTHS,
  imageFile,
} from "../../domain/event-image.ts";
import type { SizedPicture } from "./resize-picture.ts";

/** Age above which an unused file goes: another import may just have written it. One hour. */
const UNUSED_MS = 3_600_000;
const HASHES_AT_ONCE = 500;
const TEMPORARY = /^\.[\w.-]+\.tmp$/;
const WIDTHS = [IMAGE_WIDTHS.large, IMAGE_WIDTHS.small] as const;

/** The files of pictures in a folder of DATA_DIR, named by their content. */
export type PictureStore = {
  /** Tells whether both files of a picture are there. */
  has(hash: string): Promise<boolean>;
  /** Writes both files, each in one step. */
  keep(picture: SizedPicture): Promise<EventImage>;
  /** Removes what no event uses, and is older than an hour at `nowMs`. Returns the pictures. */
  removeUnused(
    used: (hashes: readonly string[]) => Promise<readonly string[]>,
    nowMs: number,
  ): Promise<number>;
};

export function createPictureStore(dataDir: string): PictureStore {
  const folder = join(dataDir, IMAGE_FOLDER);
  const pathOf = (hash: string, width: (typeof WIDTHS)[number]): string =>
    join(folder, imageFile(hash, width));

  return {
    async has(hash) {
      const found = WIDTHS.map((width) => access(pathOf(hash, width)));
      return Promise.all(found).then(
        () => true,
        () => false,
      );
    },

    async keep({ large, small, width, height }) {
      const sha256 = createHash("sha256").update(large).update(small).digest("hex");
      const hash = sha256.slice(0, 32);
      await mkdir(folder, { recursive: true });
      await writeOnce(folder, pathOf(hash, IMAGE_WIDTHS.large), large);
      await writeOnce(folder, pathOf(hash, IMAGE_WIDTHS.small), small);
      return { hash, width, height };
    },

    async removeUnused(used, nowMs) {
      const names = await readdir(folder).catch(() => []);
      const old: string[] = [];
      for (const name of names) {
        if (hashOfFile(name) === undefined && !TEMPORARY.test(name)) continue;
        const { mtimeMs } = await stat(join(folder, name));
        if (nowMs - mtimeMs > UNUSED_MS) old.push(name);
      }
      const remove = (name: string): Promise<void> => rm(join(folder, name), { force: true });
      await Promise.all(old.filter((name) => TEMPORARY.test(name)).map(remove));
      const hashes = [...new Set(old.flatMap((name) => hashOfFile(name) ?? []))];
      let removed = 0;
      for (let start = 0; start < hashes.length; start += HASHES_AT_ONCE) {
        const some = hashes.slice(start, start + HASHES_AT_ONCE);
        const kept = new Set(await used(some));
        for (const hash of some.filter((one) => !kept.has(one))) {
          await Promise.all(WIDTHS.map((width) => remove(imageFile(hash, width))));
          removed += 1;
        }
      }
      return removed;
    },
  };
}

/** Writes a file by renaming, so that a reader sees all of it or none. A known one becomes new. */
async function writeOnce(folder: string, path: string, bytes: Buffer): Promise<void> {
  const now = new Date();
  const isThere = await utimes(path, now, now).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
