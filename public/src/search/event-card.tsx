import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Event } from "../api/types.ts";
import { Cover } from "../artwork/cover.tsx";
import { useSaleState } from "../event/sale-state.ts";
import { SaleText } from "../event/sale-text.tsx";
import { clockOf } from "../components/format.ts";
import { useTypeName } from "./type-name.ts";

export function EventCard({ event }: { event: Event }): ReactNode {
  const typeName = useTypeName();
  const queries = useQueryClient();
  const state = useSaleState(event);
  return (
    <article className="card">
      <Cover event={event} />
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
          {clockOf(event)} · {event.location}
        </p>
        {state !== "available" && <SaleText state={state} available={event.available} />}
      </div>
    </article>
  );
}
