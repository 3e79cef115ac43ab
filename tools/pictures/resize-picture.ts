import sharp, { type Sharp } from "sharp";
import { IMAGE_WIDTHS } from "../../domain/event-image.ts";
import { PictureError } from "./picture-error.ts";

/** Two files of one picture, WebP without metadata. Size of the large one in pixels. */
export type SizedPicture = { large: Buffer; small: Buffer; width: number; height: number };

/** Pixels of a decoded picture: 160 MB in memory. */
export const PIXELS_MAX = 40_000_000;
const TIMEOUT_S = 10;
const QUALITY = 78;
/** The work before: one at a time, for the memory of pixels. libvips uses all cores for it. */
let before: Promise<unknown> = Promise.resolve();

/** What a file begins with. Nothing else reaches a decoder: SVG can name other files. */
const FORMATS: readonly ((head: string) => boolean)[] = [
  (head) => head.startsWith("\xff\xd8\xff"),
  (head) => head.startsWith("\x89PNG\r\n\x1a\n"),
  (head) => /^GIF8[79]a/.test(head),
  (head) => /^RIFF[^]{4}WEBP/.test(head),
  (head) => /^[^]{4}ftyp/.test(head) && /avi[fs]/.test(head.slice(8)),
];
const HEAD_BYTES = 64;

/**
 * Turns a picture upright and sizes it twice, never larger than it is. Of an animation the first
 * frame. Rejects with PictureError for other formats, too many pixels and damaged files.
 */
export async function resizePicture(bytes: Buffer): Promise<SizedPicture> {
  const head = bytes.subarray(0, HEAD_BYTES).toString("latin1");
  if (!FORMATS.some((isFormat) => isFormat(head)))
    throw new PictureError("it is not a JPEG, PNG, WebP, AVIF or GIF");
  const result = before.then(() => sized(bytes));
  before = result.catch(() => undefined);
  return result;
}

async function sized(bytes: Buffer): Promise<SizedPicture> {
  try {
    // Reads the header only, also of a picture that the next line would not open.
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    if (width * height > PIXELS_MAX)
      throw new PictureError(`it has more than ${PIXELS_MAX / 1_000_000} million pixels`);
    const picture = sharp(bytes, { limitInputPixels: PIXELS_MAX, failOn: "error" });
    const { data: large, info } = await within(picture.autoOrient(), IMAGE_WIDTHS.large);
    const { data: small } = await within(sharp(large), IMAGE_WIDTHS.small);
    return { large, small, width: info.width, height: info.height };
  } catch (error) {
    if (error instanceof PictureError) throw error;
    throw new PictureError("it cannot be decoded");
  }
}

/** WebP has a bound of its own for heights. */
function within(picture: Sharp, width: number): ReturnType<typeof toWebp> {
  const size = { width, height: 2 * width, fit: "inside", withoutEnlargement: true } as const;
  return toWebp(picture.resize(size));
}

function toWebp(picture: Sharp) {
  return picture
    .webp({ quality: QUALITY })
    .timeout({ seconds: TIMEOUT_S })
    .toBuffer({ resolveWithObject: true });
}
