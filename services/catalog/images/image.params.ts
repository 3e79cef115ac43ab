import { COMPARED_MAX, IMAGE_HASH, IMAGE_WIDTHS } from "../../../domain/event-image.ts";
import { EVENT_LIMITS } from "../../../domain/event-record.ts";

const HASHES_MAX = 500;
/** A picture is at most twice as high as wide. */
const HEIGHT_MAX = 2 * IMAGE_WIDTHS.large;

const uuid = { type: "uuid" } as const;
const url = { type: "string", min: 1, max: EVENT_LIMITS.url, nullable: true };
const hash = { type: "string", pattern: IMAGE_HASH };
const pixels = (max: number) => ({ type: "number", integer: true, min: 1, max });
const listOf = (max: number, props: object) => ({
  type: "array",
  max,
  items: { type: "object", strict: true, props },
});

export const COMPARE_PARAMS = {
  $$strict: true,
  events: listOf(COMPARED_MAX, { eventId: uuid, otherId: { ...uuid, optional: true }, url }),
};

export const STORE_PARAMS = {
  $$strict: true,
  images: listOf(COMPARED_MAX, {
    eventId: uuid,
    url,
    image: {
      type: "object",
      strict: true,
      nullable: true,
      props: { hash, width: pixels(IMAGE_WIDTHS.large), height: pixels(HEIGHT_MAX) },
    },
  }),
};

export const USED_PARAMS = {
  $$strict: true,
  hashes: { type: "array", max: HASHES_MAX, items: hash },
};
