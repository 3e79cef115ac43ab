import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Engine } from "../api/types.ts";
import { numberText } from "../parts/format.ts";

const SHOWN = 50;

/** Workers with the fullest mailboxes first. */
export function Workers({ engine: { workers, workerCount } }: { engine: Engine }): ReactNode {
  const { t } = useTranslation();
  const number = (value: number | null): string => (value === null ? "–" : numberText(value));
  return (
    <Table
      title={`${t("engine.workers")} (${numberText(workerCount)})`}
      empty={t("engine.idle")}
      columns={["node", "event", "mailbox", "batch", "sold", "left", "state"]}
      rows={workers
        .slice(0, SHOWN)
        .map(({ node, eventId, mailbox, largestBatch, sales, available, degraded }) => [
          `${node} ${eventId}`,
          node,
          <Link href={`/events/${eventId}`}>{eventId.slice(0, 8)}…</Link>,
          number(mailbox),
          number(largestBatch),
          number(sales),
          number(available),
          t(degraded ? "engine.degraded" : "engine.well"),
        ])}
    />
  );
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
        silent.length === 0 ? t("engine.well") : t("engine.silent", { services: silent.join(", ") }),
      ])}
    />
  );
}

type Column = "node" | "event" | "mailbox" | "batch" | "sold" | "left" | "state" | "services";
type TableProps = {
  title: string;
  empty: string;
  columns: readonly Column[];
  /** The first of each is its key. */ rows: [string, ...ReactNode[]][];
};

/** Wide tables scroll by themselves, also with the keyboard. */
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
                <th key={column} scope="col">
                  {t(`engine.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([key, ...cells]) => (
              <tr key={key}>
                {cells.map((cell, index) => (
                  <td key={columns[index]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
