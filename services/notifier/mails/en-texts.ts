/** English texts of mails. */
export const EN = {
  event: "Event",
  when: "When",
  place: "Place",
  tickets: "Tickets",
  before: "Before",
  now: "Now",
  timeZone: (zone: string) => `Times are local to the event: ${zone}.`,
  count: (tickets: number): string => (tickets === 1 ? "1 ticket" : `${tickets} tickets`),
  toTickets: "Show my tickets",
  toEvent: "Show the event",
  why: (address: string) => `You get this e-mail because you have an account at ${address}.`,
  preferences: "Choose which e-mails you get:",
  linkFails: "If the button does not work, open this address:",

  receipt: {
    subject: (name: string, count: number): string =>
      `Your ${count === 1 ? "ticket" : "tickets"}: ${name}`,
    heading: (count: number): string =>
      count === 1 ? "Your ticket is yours" : "Your tickets are yours",
    words:
      "Show the code of each ticket at the door, on your phone or on paper. The codes are on the " +
      "page of your tickets.",
    calendar: "The date is attached for your calendar.",
  },
  cancellation: {
    subject: (name: string): string => `Cancelled: ${name}`,
    heading: (count: number): string =>
      count === 1 ? "Your ticket is cancelled" : `${count} tickets are cancelled`,
    cancelled: "Cancelled",
    left: "Still yours",
    words: "You cancelled these tickets yourself. Their codes no longer admit to the event.",
  },
  eventChange: {
    cancelled: {
      subject: (name: string): string => `The event is cancelled: ${name}`,
      heading: "The event is cancelled",
      words:
        "The organizer has cancelled this event. Your tickets stay in your account and show it.",
    },
    postponed: {
      subject: (name: string): string => `The event is postponed: ${name}`,
      heading: "The event is postponed",
      words:
        "The organizer has postponed this event and names no new date yet. Your tickets stay valid. " +
        "We will write again when the date is known.",
    },
    moved: {
      subject: (name: string): string => `New date: ${name}`,
      heading: "The event has a new date",
      words: "Your tickets stay valid for the new date.",
    },
    held: {
      subject: (name: string): string => `The event takes place: ${name}`,
      heading: "The event takes place after all",
      words: "Your tickets are valid.",
    },
  },
  passwordReset: {
    subject: "Choose a new password",
    heading: "Choose a new password",
    words: "Somebody, probably you, asked for a new password for your account.",
    button: "Choose a new password",
    notes: [
      "The link works once, within 30 minutes of the request. A new password ends all sessions.",
      "If it was not you, do nothing: your password stays as it is.",
    ],
  },
  confirmation: {
    subject: "Confirm your e-mail address",
    heading: "Confirm your e-mail address",
    words:
      "This address was given for an account. Confirm that it is yours, so that your tickets " +
      "reach you.",
    button: "Confirm this address",
    notes: [
      "The link works for 7 days. Buying works without it.",
      "If you did not open an account, do nothing.",
    ],
  },
};
