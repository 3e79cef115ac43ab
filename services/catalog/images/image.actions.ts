import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import type { FeedImage, KnownImage, NewImage } from "../../../domain/event-image.ts";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import { orRetryLater } from "../../../lib/database/pool.ts";
import type { WithDatabases } from "../../../mixins/database.mixin.ts";
import type { CacheInvalidation } from "../events/cache-invalidation.ts";
import { IMPORT_TIMEOUT_MS } from "../import/importer.ts";
import { COMPARE_PARAMS, STORE_PARAMS, USED_PARAMS } from "./image.params.ts";
import { compareImages, storeImages, usedImages } from "./image-store.ts";

type Vars = WithDatabases<"long"> & { cache: CacheInvalidation };

/** Actions of `boxoffice import --images`. The catalog knows the pictures, and has no files. */
export const imageActions: NonNullable<
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no methods
  ServiceSchema<ServiceSettingSchema, Record<never, never>, Vars>["actions"]
> = {
  /** Compares pictures of a feed with the stored ones, in order. Can refuse with: TRY_AGAIN. */
  compareImages: {
    auth: "operator",
    unaudited: true,
    params: COMPARE_PARAMS,
    handler(ctx: Context<{ events: FeedImage[] }>): Promise<Answer<(KnownImage | null)[]>> {
      return orRetryLater(async () =>
        accepted(await compareImages(this.databases.long, ctx.params.events)),
      );
    },
  },

  /** Sets or removes the pictures of events. Can refuse with: TRY_AGAIN; repeating is safe. */
  storeImages: {
    auth: "operator",
    timeout: IMPORT_TIMEOUT_MS,
    params: STORE_PARAMS,
    async handler(ctx: Context<{ images: NewImage[] }>): Promise<Answer<null>> {
      const { images } = ctx.params;
      const answer = await orRetryLater(async () => {
        await storeImages(this.databases.long, images);
        return accepted(null);
      }, IMPORT_TIMEOUT_MS);
      if (answer.ok) {
        await this.cache.invalidate();
        await Promise.all(images.map(({ eventId }) => this.cache.forget(eventId)));
      }
      return answer;
    },
  },

  /** Returns those of the hashes that an event uses. Can refuse with: TRY_AGAIN. */
  usedImages: {
    auth: "operator",
    unaudited: true,
    params: USED_PARAMS,
    handler(ctx: Context<{ hashes: string[] }>): Promise<Answer<string[]>> {
      return orRetryLater(async () =>
        accepted(await usedImages(this.databases.long, ctx.params.hashes)),
      );
    },
  },
};
