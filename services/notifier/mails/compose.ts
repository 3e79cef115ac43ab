import { ordersCalendar } from "../../../lib/calendar/order-calendar.ts";
import { mailToken, type TokenPurpose } from "../../../lib/auth/mail-token.ts";
import type { Database } from "../../../lib/database/pool.ts";
import type { Composed } from "../delivery/delivery.ts";
import { ORDERS } from "../delivery/notification.sql.ts";
import type { MailEvent, Notification } from "../notification.ts";
import { type Language, languageOf, textsOf } from "./languages.ts";
import { htmlOf, type MailContent, textOf } from "./layout.ts";
import { spanText, zoneText } from "./when.ts";

const MINUTE_MS = 60_000;

export type ComposeOptions = {
  database: Database;
  siteUrl: string;
  /** Derives the tokens of links. */
  tokenSecret: string;
  nowMs?: () => number;
};

/** What a kind of mail says, beside what all of them say. */
type Body = Omit<MailContent, "linkFails" | "footer"> & { calendar?: string };
type Written = Body | { skip: string };
type Order = { id: string; bought: number; left: number; cancelled: number };
type WithEvent = Notification & { event: MailEvent; accountId: string };

/**
 * Creates the composer of mails. Facts are read when the mail is written: a mail that waited for a
 * server says what holds now. No mail repeats a name that a person has typed: an account may be
 * opened with another's address, and its mails must carry no stranger's text.
 */
export function createComposer(options: ComposeOptions) {
  const { database, siteUrl, tokenSecret, nowMs = Date.now } = options;
  const addressOf = (path: string): string => new URL(path, siteUrl).href;

  const write = async (notification: Notification, language: Language): Promise<Written> => {
    const { kind, event, accountId } = notification;
    if (kind === "password-reset" || kind === "confirmation")
      return withLink(notification, kind, language);
    if (event === null || accountId === null) return { skip: "there is no such event" };
    const known = { ...notification, event, accountId };
    switch (kind) {
      case "receipt":
        return receipt(known, language);
      case "cancellation":
        return cancellation(known, language);
      case "event-change":
        return eventChange(known, language);
      default:
        return kind satisfies never;
    }
  };

  const ordersOf = ({ event, accountId }: WithEvent, cancelledAt: unknown = null) =>
    database.query<Order>({ ...ORDERS, values: [event.id, accountId, cancelledAt] });

  /** An entry per order, under the UID of the web app's file for the order. */
  const calendarOf = (event: MailEvent, orders: readonly Order[], language: Language): string =>
    ordersCalendar(
      orders.map(({ id, left }) => ({
        id,
        event: {
          name: event.name,
          location: placeText(event),
          startsAt: new Date(event.startsAtMs).toISOString(),
          endsAt: new Date(event.startsAtMs + event.duration * MINUTE_MS).toISOString(),
          status: event.status,
        },
        quantity: left,
        description: textsOf(language).count(left),
        url: addressOf(`/events/${event.id}`),
      })),
      nowMs(),
    );

  const receipt = async (notification: WithEvent, language: Language): Promise<Written> => {
    const { event, key } = notification;
    const orders = await ordersOf(notification);
    const order = orders.find(({ id }) => id === key.replaceAll("-", ""));
    if (order === undefined) return { skip: "the sale was deleted" };
    const quantity = order.bought;
    const { receipt: words, ...t } = textsOf(language);
    return {
      subject: words.subject(event.name, quantity),
      heading: words.heading(quantity),
      paragraphs: [words.words],
      facts: [...eventFacts(event, language), [t.tickets, String(quantity)]],
      notes: [words.calendar, t.timeZone(zoneText(event, language))],
      button: { label: t.toTickets, address: addressOf("/tickets") },
      calendar: calendarOf(event, [order], language),
    };
  };

  const cancellation = async (notification: WithEvent, language: Language): Promise<Written> => {
    const { event, facts } = notification;
    const orders = await ordersOf(notification, facts.cancelledAt);
    const touched = orders.filter(({ cancelled }) => cancelled > 0);
    if (touched.length === 0) return { skip: "the sale was deleted" };
    const cancelled = sumOf(touched, "cancelled");
    const { cancellation: words, ...t } = textsOf(language);
    const address = addressOf(`/events/${event.id}`);
    return {
      subject: words.subject(event.name),
      heading: words.heading(cancelled),
      paragraphs: [words.words],
      facts: [
        ...eventFacts(event, language),
        [words.cancelled, String(cancelled)],
        [words.left, String(sumOf(orders, "left"))],
      ],
      notes: [t.timeZone(zoneText(event, language))],
      button: { label: t.toEvent, address },
      // The entry of an order goes with its last ticket.
      calendar: calendarOf(event, touched, language),
    };
  };

  const eventChange = async (notification: WithEvent, language: Language): Promise<Written> => {
    const { event, facts } = notification;
    const orders = (await ordersOf(notification)).filter(({ left }) => left > 0);
    if (orders.length === 0) return { skip: "the person has cancelled all tickets" };
    const was = facts.before as MailEvent;
    const isMoved = event.startsAtMs !== was.startsAtMs;
    const change =
      event.status !== was.status && event.status !== "scheduled"
        ? event.status
        : event.status === "scheduled" && isMoved
          ? "moved"
          : event.status === "scheduled" && was.status !== "scheduled"
            ? "held"
            : undefined;
    if (change === undefined) return { skip: "the event is again as it was" };
    const { eventChange: words, ...t } = textsOf(language);
    const [name, when, place] = eventFacts(event, language);
    const address = addressOf(`/events/${event.id}`);
    const dates: [string, string][] = isMoved
      ? [
          [t.before, spanText({ ...event, ...was }, language)],
          [t.now, spanText(event, language)],
        ]
      : [when];
    return {
      subject: words[change].subject(event.name),
      heading: words[change].heading,
      paragraphs: [words[change].words],
      // A postponed event has no date that holds.
      facts: [
        name,
        ...(change === "postponed" ? [] : dates),
        place,
        [t.tickets, String(sumOf(orders, "left"))],
      ],
      notes: change === "postponed" ? [] : [t.timeZone(zoneText(event, language))],
      button: { label: t.toEvent, address },
      calendar: calendarOf(event, orders, language),
    };
  };

  const withLink = (
    { key, facts }: Notification,
    purpose: TokenPurpose,
    language: Language,
  ): Written => {
    if (Date.parse(String(facts.expiresAt)) <= nowMs()) return { skip: "the link has expired" };
    const t = textsOf(language);
    const words = purpose === "password-reset" ? t.passwordReset : t.confirmation;
    // Browsers send no fragment, so the token is in no log of a server or proxy.
    const path = purpose === "password-reset" ? "/reset" : "/confirm";
    return {
      subject: words.subject,
      heading: words.heading,
      paragraphs: [words.words],
      facts: [],
      notes: words.notes,
      button: {
        label: words.button,
        address: addressOf(`${path}#token=${mailToken(tokenSecret, purpose, key)}`),
      },
    };
  };

  return async function compose(notification: Notification): Promise<Composed> {
    const { key, email, isOff } = notification;
    if (email === null) return { skip: "there is no such account" };
    if (isOff === true) return { skip: "the person has switched these mails off" };
    const language = languageOf(notification.language);
    const written = await write(notification, language);
    if ("skip" in written) return written;
    const { calendar, ...body } = written;
    const t = textsOf(language);
    const content: MailContent = {
      ...body,
      linkFails: t.linkFails,
      footer: [
        { text: t.why(new URL(siteUrl).host) },
        { text: t.preferences, address: addressOf("/account") },
      ],
    };
    return {
      mail: {
        key,
        to: email,
        subject: content.subject,
        text: textOf(content),
        html: htmlOf(content, language),
        ...(calendar !== undefined && { calendar }),
      },
    };
  };
}

function placeText({ location, country }: Pick<MailEvent, "location" | "country">): string {
  return country === null ? location : `${location}, ${country}`;
}

function sumOf(orders: readonly Order[], what: "left" | "cancelled"): number {
  return orders.reduce((sum, order) => sum + order[what], 0);
}

type Fact = [label: string, value: string];

function eventFacts(event: MailEvent, language: Language): [name: Fact, when: Fact, place: Fact] {
  const t = textsOf(language);
  return [
    [t.event, event.name],
    [t.when, spanText(event, language)],
    [t.place, placeText(event)],
  ];
}
