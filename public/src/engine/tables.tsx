import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { answerOf, api } from "../api/client.ts";
import type { Engine } from "../api/types.ts";
import { numberText } from "../components/format.ts";

const ROWS_MAX = 50;

/** Lists workers, those with the fullest mailboxes first. */
export function Workers({ engine: { workers, workerCount } }: { engine: Engine }): ReactNode {
  const { t } = useTranslation();
  const number = (value: number | null): string => (value === null ? "–" : numberText(value));
  return (
    <Table
      title={`${t("engine.workers")} (${numberText(workerCount)})`}
      empty={t("engine.idle")}
      columns={["node", "event", "mailbox", "batch", "sold", "left", "state"]}
      rows={workers
        .slice(0, ROWS_MAX)
        .map(({ node, eventId, mailbox, largestBatch, tickets, available, degraded }) => [
          `${node} ${eventId}`,
          node,
          <EventLink eventId={eventId} />,
          number(mailbox),
          number(largestBatch),
          number(tickets),
          number(available),
          t(degraded ? "engine.degraded" : "engine.well"),
        ])}
    />
  );
}

/** Links an event by its name, or by its id while the name loads. */
function EventLink({ eventId }: { eventId: string }): ReactNode {
  const { data } = useQuery({
    queryKey: ["event name", eventId],
    queryFn: ({ signal }) =>
      answerOf(() => api.GET("/api/events/{eventId}", { params: { path: { eventId } }, signal })),
    staleTime: Infinity,
    select: ({ name }) => name,
  });
  return <Link href={`/events/${eventId}`}>{data ?? `${eventId.slice(0, 8)}…`}</Link>;
}

export function Nodes({ engine: { nodes } }: { engine: Engine }): ReactNode {
  const { t } = useTranslation();
  return (
    <Table
      title={t("engine.nodes")}
      empty=""
      columns={["node", "services", "state"]}
      rows={nodes.map(({ node, services, silent }) => [
        node,
        node,
        services.join(", "),
        silent.length === 0
          ? t("engine.well")
          : t("engine.silent", { services: silent.join(", ") }),
      ])}
    />
  );
}

type Column = "node" | "event" | "mailbox" | "batch" | "sold" | "left" | "state" | "services";
/** Columns of numbers, aligned to the right. */
const AMOUNTS: ReadonlySet<string> = new Set<Column>(["mailbox", "batch", "sold", "left"]);
type TableProps = {
  title: string;
  empty: string;
  columns: readonly Column[];
  /** The first element of each row is its key. */
  rows: [string, ...ReactNode[]][];
};

/** Table that scrolls horizontally, also by keyboard. */
function Table({ title, empty, columns, rows }: TableProps): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="table" role="region" aria-label={title} tabIndex={0}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p className="soft">{empty}</p>
      ) : (
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col" className={AMOUNTS.has(column) ? "amount" : undefined}>
                  {t(`engine.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([key, ...cells]) => (
              <tr key={key}>
                {cells.map((cell, index) => (
                  <td
                    key={columns[index]}
                    className={AMOUNTS.has(columns[index] ?? "") ? "amount" : undefined}
                  >
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
