import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Event } from "../api/types.ts";
import { Cover } from "../artwork/cover.tsx";
import { StatusText } from "../event/status-text.tsx";
import { numberText, startText } from "../components/format.ts";
import { useTypeName } from "./type-name.ts";

/** Up to this number the card shows how many tickets are left. */
const FEW_MAX = 20;

export function EventCard({ event }: { event: Event }): ReactNode {
  const typeName = useTypeName();
  const queries = useQueryClient();
  return (
    <article className="card">
      <Cover id={event.id} type={event.type} />
      <div className="card-text">
        <p className="kicker">{typeName(event.type)}</p>
        <h3>
          {/* The event page shows this data at once and refetches it. */}
          <Link
            href={`/events/${event.id}`}
            onClick={() => queries.setQueryData(["event", event.id], event, { updatedAt: 1 })}
          >
            {event.name}
          </Link>
        </h3>
        <p className="soft">
          {event.location} · {startText(event)}
        </p>
        {event.status === "scheduled" ? (
          <TicketsLeft available={event.available} />
        ) : (
          <StatusText status={event.status} />
        )}
      </div>
    </article>
  );
}

function TicketsLeft({ available }: { available: number }): ReactNode {
  const { t } = useTranslation();
  if (available <= 0) return <p className="left left-none">{t("event.soldOut")}</p>;
  if (available <= FEW_MAX)
    return (
      <p className="left left-few">
        {t("event.few", { count: available, number: numberText(available) })}
      </p>
    );
  return <p className="left">{t("event.available")}</p>;
}
