import type { EventStore } from "../../services/purchasing/worker/ports.ts";
import { COMMIT } from "../../services/purchasing/store/event-store.sql.ts";

/** The statement that sells, with everything but the look at epoch and batch. */
export const NO_FENCE = COMMIT.text.replace(
  "WHERE event_id = $1 AND epoch = $2 AND batch = $3",
  "WHERE event_id = $1 AND ($2::bigint, $3::bigint) IS NOT NULL",
);

/** A store that neither looks at the epoch nor at the batch, on loading or on committing. */
export function unfenced(store: EventStore): EventStore {
  let mine = { epoch: 0, batch: 0 };
  return {
    ...store,
    async takeEpoch(eventId) {
      const epoch = await store.takeEpoch(eventId);
      mine = { epoch: epoch ?? 0, batch: 0 };
      return epoch;
    },
    load: async (eventId, needs) => ({ ...(await store.load(eventId, needs)), ...mine }),
    async commit(ownership, changes) {
      const result = await store.commit(ownership, changes);
      if (result.type === "committed") mine = { ...mine, batch: result.batch };
      return result;
    },
  };
}
