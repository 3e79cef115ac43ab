import type { PageEvent, PaintedPage } from "./painted-pages.ts";

const MINUTE_MS = 60_000;
/** Types of schema.org by the types of our events. */
const SCHEMA_TYPES: Readonly<Record<string, string>> = {
  comedy: "ComedyEvent",
  concert: "MusicEvent",
  conference: "BusinessEvent",
  exhibition: "ExhibitionEvent",
  festival: "Festival",
  football: "SportsEvent",
  theatre: "TheaterEvent",
  workshop: "EducationEvent",
};
const STATUSES: Readonly<Record<PageEvent["status"], string>> = {
  scheduled: "EventScheduled",
  cancelled: "EventCancelled",
  postponed: "EventPostponed",
};

export const COVER = { width: 1_200, height: 630 } as const;

export function eventAddress(siteUrl: string, { id }: Pick<PageEvent, "id">): string {
  return `${siteUrl}/events/${id}`;
}

/** The picture of a shared link: the event's own, else the drawn one. */
function pictureOf(siteUrl: string, event: PageEvent) {
  if (event.image === undefined)
    return { url: `${eventAddress(siteUrl, event)}/cover.png`, type: "image/png", ...COVER };
  const { url, width, height } = event.image;
  return { url: siteUrl + url, type: "image/webp", width, height };
}

/** Properties of a shared link: https://ogp.me. Twitter reads all but its own from them. */
export function openGraph(
  siteUrl: string,
  language: string,
  event: PageEvent,
  { description }: PaintedPage,
): [property: string, content: string][] {
  const picture = pictureOf(siteUrl, event);
  return [
    ["og:type", "website"],
    ["og:site_name", "Boxoffice"],
    ["og:title", event.name],
    ["og:description", description],
    ["og:url", eventAddress(siteUrl, event)],
    ["og:locale", language],
    ["og:image", picture.url],
    ["og:image:type", picture.type],
    ["og:image:width", String(picture.width)],
    ["og:image:height", String(picture.height)],
    ["twitter:card", "summary_large_image"],
  ];
}

/** The event as https://schema.org/Event, for search engines. */
export function structuredEvent(siteUrl: string, event: PageEvent, description: string): object {
  const url = eventAddress(siteUrl, event);
  const ends = new Date(Date.parse(event.startsAt) + event.duration * MINUTE_MS);
  return {
    "@context": "https://schema.org",
    "@type": SCHEMA_TYPES[event.type.toLowerCase()] ?? "Event",
    name: event.name,
    description,
    url,
    image: [pictureOf(siteUrl, event).url],
    startDate: event.startsAt,
    endDate: ends.toISOString(),
    eventStatus: `https://schema.org/${STATUSES[event.status]}`,
    eventAttendanceMode: "https://schema.org/OfflineEventAttendanceMode",
    location: {
      "@type": "Place",
      name: event.location,
      address: {
        "@type": "PostalAddress",
        addressLocality: event.location,
        ...(event.country !== null && { addressCountry: event.country }),
      },
    },
    offers: {
      "@type": "Offer",
      url,
      availability: `https://schema.org/${event.available > 0 ? "InStock" : "SoldOut"}`,
    },
  };
}
