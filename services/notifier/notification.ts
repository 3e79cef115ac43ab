/** What an e-mail is about. */
export const KINDS = [
  "receipt",
  "cancellation",
  "event-change",
  "password-reset",
  "confirmation",
] as const;
export type Kind = (typeof KINDS)[number];

/** An event as mails show it. */
export type MailEvent = {
  id: string;
  name: string;
  location: string;
  country: string | null;
  timeZone: string;
  /** Minutes. */
  duration: number;
  status: "scheduled" | "postponed" | "cancelled";
  startsAtMs: number;
};

/** A claimed row of `notification`, with what its mail needs. */
export type Notification = {
  /** Identifies the cause; the mail's Message-ID is derived from it. */
  key: string;
  kind: Kind;
  /** Null: the cause concerns all holders of the event. */
  accountId: string | null;
  eventId: string | null;
  facts: Record<string, unknown>;
  /** Tries, this one included. */
  attempts: number;
  createdAtMs: number;
  ageS: number;
  /** Null: the account does not exist (any more). */
  email: string | null;
  language: string | null;
  /** The person has switched this kind off. */
  isOff: boolean | null;
  event: MailEvent | null;
};

/** A finished mail. */
export type Mail = {
  key: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** An iCalendar file. */
  calendar?: string;
};
