import type { EventStore } from "../../services/purchasing/worker/ports.ts";
import { COMMIT_MANY } from "../../services/purchasing/store/batched-event-store.sql.ts";
import { COMMIT } from "../../services/purchasing/store/event-store.sql.ts";

/** COMMIT without the check of epoch and batch. */
export const NO_FENCE = COMMIT.text.replace(
  "WHERE event_id = $1 AND epoch = $2 AND batch = $3",
  "WHERE event_id = $1 AND ($2::bigint, $3::bigint) IS NOT NULL",
);

/** COMMIT_MANY without that check. */
export const MANY_WITHOUT_FENCE = COMMIT_MANY.text.replace(
  "AND CASE WHEN worker.epoch = asked.epoch AND worker.batch = asked.batch THEN true END",
  "",
);

/** Makes a store ignore other owners, in loads and in commits. */
export function unfenced(store: EventStore): EventStore {
  let expected = { epoch: 0, batch: 0 };
  return {
    ...store,
    async takeEpoch(eventId) {
      const epoch = await store.takeEpoch(eventId);
      expected = { epoch: epoch ?? 0, batch: 0 };
      return epoch;
    },
    load: async (eventId, needs) => ({ ...(await store.load(eventId, needs)), ...expected }),
    async commit(ownership, changes) {
      const result = await store.commit(ownership, changes);
      if (result.type === "committed") expected = { ...expected, batch: result.batch };
      return result;
    },
  };
}
