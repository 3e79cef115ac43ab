import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "wouter";
import type { Ticket } from "../api/types.ts";
import { localToday } from "../search/filters.ts";
import { Loading } from "../components/loading.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { AsOfNote } from "./as-of-note.tsx";
import { TicketGroup } from "./ticket-group.tsx";
import { useTickets } from "./use-tickets.ts";

const VIEWS = ["upcoming", "past", "cancelled"] as const;
type View = (typeof VIEWS)[number];

export function TicketsPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("tickets.title"));
  const [params] = useSearchParams();
  const view = VIEWS.find((one) => one === params.get("show")) ?? "upcoming";
  const { tickets, asOf, error, failureCount, refetch } = useTickets(
    view === "cancelled" ? "cancelled" : "active",
  );
  const shown = tickets && inView(tickets, view, localToday());
  return (
    <>
      <h1>{t("tickets.title")}</h1>
      <nav className="views" aria-label={t("tickets.views")}>
        {VIEWS.map((one) => (
          <Link
            key={one}
            href={`/tickets?show=${one}`}
            aria-current={one === view ? "page" : undefined}
            replace
          >
            {t(`tickets.${one}`)}
          </Link>
        ))}
      </nav>
      <AsOfNote asOf={asOf} />
      {error !== null && <ProblemNotice error={error} again={() => void refetch()} />}
      {shown === undefined ? (
        error === null && <Loading failures={failureCount} />
      ) : (
        <Groups tickets={shown} view={view} />
      )}
    </>
  );
}

function Groups({ tickets, view }: { tickets: readonly Ticket[]; view: View }): ReactNode {
  const { t } = useTranslation();
  if (tickets.length === 0)
    return (
      <div className="empty">
        <p>{t(`tickets.none.${view}`)}</p>
        <Link href="/" className="button">
          {t("notFound.browse")}
        </Link>
      </div>
    );
  return (
    <ul className="ticket-groups">
      {[...Map.groupBy(tickets, ({ eventId }) => eventId)].map(([eventId, ofEvent]) => (
        <li key={eventId}>
          <TicketGroup tickets={ofEvent} />
        </li>
      ))}
    </ul>
  );
}

/** Tickets stay upcoming until their day ends. Past tickets: latest first. */
function inView(tickets: readonly Ticket[], view: View, today: string): Ticket[] {
  if (view === "upcoming") return tickets.filter(({ eventDate }) => eventDate >= today);
  if (view === "past") return tickets.filter(({ eventDate }) => eventDate < today).reverse();
  return [...tickets];
}
