import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { dayText } from "../components/format.ts";
import { LoadingText } from "../components/loading.tsx";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { EventCard } from "./event-card.tsx";
import type { Filters } from "./filters.ts";
import { byDay, useEvents } from "./use-events.ts";

/** Days with fewer events are rows: a card each would leave most of the line empty. */
const CARDS_MIN = 4;

export function Results({
  filters,
  onClear,
}: {
  filters: Filters;
  onClear: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const {
    data,
    error,
    failureCount,
    isPending,
    isPlaceholderData,
    hasNextPage,
    isFetchingNextPage,
    fetchNextPage,
    refetch,
  } = useEvents(filters);
  const events = data?.pages.flatMap(({ items }) => items) ?? [];
  const settled = !isPending && !isPlaceholderData;
  return (
    <section
      aria-label={t("browse.results")}
      aria-busy={!settled}
      className={isPlaceholderData ? "results results-old" : "results"}
    >
      <p role="status" className="found soft">
        {settled &&
          error === null &&
          events.length > 0 &&
          t(hasNextPage ? "browse.foundMore" : "browse.found", { count: events.length })}
      </p>
      {isPending && error === null && <Skeletons failures={failureCount} />}
      {error !== null && <ProblemNotice error={error} again={() => void refetch()} />}
      {settled && error === null && events.length === 0 && (
        <div className="empty">
          <h2>{t("browse.nothing")}</h2>
          <p>{t("browse.nothingWords")}</p>
          <button type="button" className="button" onClick={onClear}>
            {t("browse.clear")}
          </button>
        </div>
      )}
      {byDay(events).map(([day, ofDay]) => (
        <section key={day} className="day" aria-labelledby={`day-${day}`}>
          <h2 id={`day-${day}`}>{dayText(day)}</h2>
          <ul className={ofDay.length < CARDS_MIN ? "rows" : "cards"}>
            {ofDay.map((event) => (
              <li key={event.id}>
                <EventCard event={event} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {hasNextPage && <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} />}
    </section>
  );
}

/** Loads the next page when it scrolls into view, or by its button. */
function More({ busy, onMore }: { busy: boolean; onMore: () => void }): ReactNode {
  const { t } = useTranslation();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (busy || element.current === null) return undefined;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting === true && onMore(),
      { rootMargin: "400px" },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [busy, onMore]);
  return (
    <div ref={element} className="more">
      <button
        type="button"
        className="button button-quiet"
        aria-disabled={busy}
        onClick={busy ? undefined : onMore}
      >
        {t(busy ? "parts.loading" : "browse.more")}
      </button>
    </div>
  );
}

function Skeletons({ failures }: { failures: number }): ReactNode {
  return (
    <>
      <LoadingText failures={failures} />
      <ul className="cards" aria-hidden="true">
        {Array.from({ length: 8 }, (_, index) => (
          <li key={index} className="skeleton" />
        ))}
      </ul>
    </>
  );
}
