// Built for Node as dist/server/pages.cjs. The gateway paints pages with it before the script runs.
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import type { Event } from "../api/types.ts";
import { ART, Cover, Poster } from "../artwork/cover.tsx";
import type en from "../locales/en-texts.ts";
import { placeText } from "../components/format.ts";
import { documentTitle } from "../components/page-title.ts";

type Texts = typeof en;
const FILES = import.meta.glob<{ default: Texts }>("../locales/*-texts.ts", { eager: true });
const TEXTS = new Map(
  Object.entries(FILES).map(([file, { default: texts }]) => [
    /(\w+)-texts\.ts$/.exec(file)?.[1] ?? "",
    texts,
  ]),
);

/** What a page says before its script runs. `markup` is what `#app` contains. */
export type PaintedPage = { title: string; description: string; markup: string };

export const languages: readonly string[] = [...TEXTS.keys()];

/** Paints the frame of any page. `heading` is its first headline, if the address tells it. */
export function paintPage(language: string, page: "browse" | "other" | "lost"): PaintedPage {
  const { layout, browse, notFound } = textsOf(language);
  const headline = { browse: browse.title, lost: notFound.page, other: undefined }[page];
  return {
    title: documentTitle(page === "lost" ? notFound.page : ""),
    description: layout.description,
    markup: renderToStaticMarkup(
      <Frame>
        {headline !== undefined && (
          <div className={page === "lost" ? "empty" : "hero"}>
            <h1>{headline}</h1>
          </div>
        )}
      </Frame>,
    ),
  };
}

/** Paints the head of an event's page: the same elements as the app's, so that nothing moves. */
export function paintEvent(language: string, event: Event): PaintedPage {
  const texts = textsOf(language);
  const types: Readonly<Record<string, string>> = texts.type;
  const type = types[event.type.toLowerCase()] ?? event.type;
  const day = dayText(language, event.date);
  const alt = texts.event.picture.replace("{{name}}", () => event.name);
  return {
    title: documentTitle(event.name),
    description: [`${type}, ${event.location}`, `${day}, ${startText(language, event)}`].join(
      " · ",
    ),
    markup: renderToStaticMarkup(
      <Frame>
        <article className="event">
          <div className="event-art">
            <Cover event={event} alt={alt} sizes={ART} eager />
          </div>
          <div className="event-head">
            <p className="kicker">{type}</p>
            <h1>{event.name}</h1>
            <p className="lead">
              {day} · {placeText(event)}
            </p>
          </div>
          <div className="buy-coming skeleton" />
        </article>
      </Frame>,
    ),
  };
}

/** The picture of an event as an SVG document, for programs that show no SVG of a page. */
export function coverDocument({ id, type }: Pick<Event, "id" | "type">): string {
  const svg = renderToStaticMarkup(<Poster id={id} type={type} />);
  return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200"');
}

function Frame({ children }: { children: ReactNode }): ReactNode {
  return (
    <>
      <header className="site-header">
        <a href="/" className="wordmark">
          Boxoffice<span aria-hidden="true">.</span>
        </a>
      </header>
      <main>{children}</main>
    </>
  );
}

function textsOf(language: string): Texts {
  const texts = TEXTS.get(language);
  if (texts === undefined) throw new Error(`There are no texts for ${language}`);
  return texts;
}

/** Crawlers name no region. Day before month is understood everywhere. */
function localeOf(language: string): string {
  return language === "en" ? "en-GB" : language;
}

function dayText(language: string, day: string): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: "full", timeZone: "UTC" }).format(
    new Date(day),
  );
}

/** Falls back to UTC if Node does not know the time zone. */
function startText(language: string, { startsAt, timeZone }: Event): string {
  const options = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" } as const;
  const write = (zone: string): string =>
    new Intl.DateTimeFormat(localeOf(language), { ...options, timeZone: zone }).format(
      new Date(startsAt),
    );
  try {
    return write(timeZone);
  } catch {
    return write("UTC");
  }
}
