/** The stored picture of an event. `width` and `height`: pixels of the large file. */
export type EventImage = { hash: string; width: number; height: number };

/** A picture as the API shows it. `width` and `height`: pixels of `url`. */
export type ShownImage = { url: string; thumbnailUrl: string; width: number; height: number };

/** An event of a feed, under the ids that the catalog may have for it, and its picture there. */
export type FeedImage = { eventId: string; otherId?: string | undefined; url: string | null };

/** What the catalog has for it. `same`: the picture of this address, or none if it has none. */
export type KnownImage = { eventId: string; same: boolean; hash: string | null };

/** A picture that was stored, or null for none. */
export type NewImage = { eventId: string; url: string | null; image: EventImage | null };

/** Events of one call: addresses of 2,000 characters must fit into a message of the bus (1 MiB). */
export const COMPARED_MAX = 100;

/** Widths of the two files of a picture, in pixels. A smaller picture keeps its own width. */
export const IMAGE_WIDTHS = { small: 480, large: 1_280 } as const;
export type ImageWidth = (typeof IMAGE_WIDTHS)[keyof typeof IMAGE_WIDTHS];

/** The folder of the files in DATA_DIR, and of their addresses at the gateway. */
export const IMAGE_FOLDER = "images";
/** The hash is the first 128 bits of the SHA-256 of both files. */
const HASH = "[0-9a-f]{32}";
const IMAGE_FILE = new RegExp(`^(${HASH})-(480|1280)\\.webp$`);
export const IMAGE_HASH = new RegExp(`^${HASH}$`);

export function imageFile(hash: string, width: ImageWidth): string {
  return `${hash}-${width}.webp`;
}

export function imagePath(hash: string, width: ImageWidth): string {
  return `/${IMAGE_FOLDER}/${imageFile(hash, width)}`;
}

/** Returns the hash in the name of a picture's file. Undefined for every other name. */
export function hashOfFile(name: string): string | undefined {
  return IMAGE_FILE.exec(name)?.[1];
}
