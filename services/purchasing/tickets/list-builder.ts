import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import type { TicketCopies } from "./ticket-copies.ts";
import type { PostgresWatch } from "./postgres-watch.ts";
import type { ListQuestion, TicketPage } from "./ticket-cursor.ts";
import { isComplete, type TicketLists } from "./ticket-list.ts";

export type ListBuilder = {
  /**
   * PostgreSQL has answered this, to a question of `asOfMs`. Resolves to false if Redis does not
   * take it. Never rejects.
   */
  seen: (question: ListQuestion, page: TicketPage, asOfMs: number) => Promise<boolean>;
  start(): void;
  stop(): void;
};

/** Lists in one statement (ROWS_MAX of ticket-list.ts, with pages of LIST_MAX). */
const AT_ONCE = 20;
/** Tickets of a list in Redis, a page at most. Who has more is answered by PostgreSQL only. */
const LIST_MAX = 100;
/** The builder rests so many times as long as it works: sales come first. See ADR-0070. */
const REST_FACTOR = 30;
/** While PostgreSQL is down or slow, the builder waits for it, and does not work. */
const REST_MAX_MS = 1_000;

/**
 * Keeps customers' lists in Redis, for outages of PostgreSQL. A complete list that a reader got is
 * kept at once; of customers who have bought and have no list (`waiting`), it is read in the
 * background.
 */
export function createListBuilder(
  lists: TicketLists,
  copies: Pick<TicketCopies, "keepList" | "holdsList">,
  watch: Pick<PostgresWatch, "away">,
  waiting: Set<string>,
  clock: Clock = systemClock,
): ListBuilder {
  let timer: { cancel(): void } | undefined;
  let stopped = false;

  const buildOne = async (userId: string): Promise<void> => {
    const asOfMs = Date.now();
    const page = await lists({ userId, status: undefined, limit: LIST_MAX, after: undefined });
    if (page.nextCursor === null) await copies.keepList(userId, { tickets: page.items, asOfMs });
  };
  const work = async (): Promise<void> => {
    const startedMs = clock.nowMs();
    const userIds = [...waiting].slice(0, AT_ONCE);
    for (const userId of userIds) waiting.delete(userId);
    if (!watch.away) await Promise.allSettled(userIds.map(buildOne));
    const restMs = waiting.size > 0 ? REST_FACTOR * (clock.nowMs() - startedMs) : REST_MAX_MS;
    if (!stopped) timer = clock.after(Math.min(REST_MAX_MS, restMs), () => void work());
  };

  return {
    async seen(question, page, asOfMs) {
      const { userId } = question;
      if (isComplete(question, page))
        return copies.keepList(userId, { tickets: page.items, asOfMs });
      if (!(await copies.holdsList(userId))) waiting.add(userId);
      return true;
    },
    start: () => void work(),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
