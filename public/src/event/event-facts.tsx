import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Event } from "../api/types.ts";
import { localStartText, spanText, zoneText } from "../components/format.ts";

export function EventFacts({ event }: { event: Event }): ReactNode {
  const { t } = useTranslation();
  const localStart = localStartText(event);
  const site = siteOf(event.url);
  const facts: [string, ReactNode][] = [
    [
      t("event.time"),
      <>
        {spanText(event)}
        <br />
        <span className="soft">
          {zoneText(event)}
          {localStart !== undefined && <> · {t("event.here", { when: localStart })}</>}
        </span>
      </>,
    ],
  ];
  if (site !== undefined)
    facts.push([
      t("event.website"),
      <a href={site.href} rel="noopener noreferrer external">
        {site.host}
      </a>,
    ]);
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Feeds are untrusted input: only http and https addresses become links. */
function siteOf(url: string | null): URL | undefined {
  if (url === null || !URL.canParse(url)) return undefined;
  const site = new URL(url);
  return site.protocol === "https:" || site.protocol === "http:" ? site : undefined;
}
