import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "../api/problem.ts";
import type { Event } from "../api/types.ts";
import { ART, Cover } from "../artwork/cover.tsx";
import { useTypeName } from "../search/type-name.ts";
import { dayText, placeText } from "../components/format.ts";
import { NotFoundPage } from "../components/not-found-page.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { BuyPanel } from "./buy-panel.tsx";
import { EventFacts } from "./event-facts.tsx";
import { EventSkeleton } from "./event-skeleton.tsx";
import { isForSale, useSaleState } from "./sale-state.ts";
import { SaleText } from "./sale-text.tsx";
import { useLiveEvent } from "./use-event.ts";

export function EventPage({ eventId }: { eventId: string }): ReactNode {
  const { t } = useTranslation();
  const { event, error, failureCount, refetch } = useLiveEvent(eventId);
  usePageTitle(event?.name ?? t("event.page"));
  if (event === undefined) {
    const code = error && asProblem(error).code;
    return code === "EVENT_NOT_FOUND" || code === "VALIDATION_ERROR" ? (
      <NotFoundPage what="event" />
    ) : (
      <>
        <h1 className="unseen">{t("event.page")}</h1>
        {error === null ? (
          <EventSkeleton failures={failureCount} />
        ) : (
          <ProblemNotice error={error} again={() => void refetch()} />
        )}
      </>
    );
  }
  return <EventDetails event={event} />;
}

function EventDetails({ event }: { event: Event }): ReactNode {
  const { t } = useTranslation();
  const typeName = useTypeName();
  const state = useSaleState(event);
  return (
    <article className="event">
      <div className="event-art">
        <Cover event={event} alt={t("event.picture", { name: event.name })} sizes={ART} eager />
      </div>
      <div className="event-head">
        <p className="kicker">{typeName(event.type)}</p>
        <h1>{event.name}</h1>
        <p className="lead">
          {dayText(event.date)} · {placeText(event)}
        </p>
        {!isForSale(state) && <SaleText state={state} available={event.available} />}
      </div>
      <BuyPanel event={event} state={state} />
      <EventFacts event={event} />
    </article>
  );
}
