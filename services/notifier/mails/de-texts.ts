import type { EN } from "./en-texts.ts";

/** German texts of mails. */
export const DE: typeof EN = {
  event: "Was",
  when: "Wann",
  place: "Ort",
  tickets: "Tickets",
  before: "Bisher",
  now: "Neu",
  timeZone: (zone) => `Alle Zeiten gelten am Ort der Veranstaltung: ${zone}.`,
  count: (tickets) => (tickets === 1 ? "1 Ticket" : `${tickets} Tickets`),
  toTickets: "Meine Tickets zeigen",
  toEvent: "Veranstaltung zeigen",
  why: (address) => `Sie erhalten diese E-Mail, weil Sie ein Konto bei ${address} haben.`,
  preferences: "Wählen Sie, welche E-Mails Sie erhalten:",
  linkFails: "Falls der Knopf nicht funktioniert, öffnen Sie diese Adresse:",

  receipt: {
    subject: (name, count) => `${count === 1 ? "Ihr Ticket" : "Ihre Tickets"}: ${name}`,
    heading: (count) => (count === 1 ? "Das Ticket gehört Ihnen" : "Die Tickets gehören Ihnen"),
    words:
      "Zeigen Sie am Einlass den Code jedes Tickets, auf dem Telefon oder auf Papier. Die Codes " +
      "stehen auf der Seite Ihrer Tickets.",
    calendar: "Der Termin für Ihren Kalender liegt bei.",
  },
  cancellation: {
    subject: (name) => `Storniert: ${name}`,
    heading: (count) =>
      count === 1 ? "Ihr Ticket ist storniert" : `${count} Tickets sind storniert`,
    cancelled: "Storniert",
    left: "Weiterhin gültig",
    words: "Sie haben diese Tickets selbst storniert. Ihre Codes gelten am Einlass nicht mehr.",
  },
  eventChange: {
    cancelled: {
      subject: (name) => `Die Veranstaltung ist abgesagt: ${name}`,
      heading: "Die Veranstaltung ist abgesagt",
      words:
        "Der Veranstalter hat diese Veranstaltung abgesagt. Ihre Tickets bleiben in Ihrem Konto und " +
        "zeigen es an.",
    },
    postponed: {
      subject: (name) => `Die Veranstaltung ist verschoben: ${name}`,
      heading: "Die Veranstaltung ist verschoben",
      words:
        "Der Veranstalter hat diese Veranstaltung verschoben und nennt noch keinen neuen Termin. " +
        "Ihre Tickets bleiben gültig. Wir schreiben Ihnen, sobald der Termin feststeht.",
    },
    moved: {
      subject: (name) => `Neuer Termin: ${name}`,
      heading: "Die Veranstaltung hat einen neuen Termin",
      words: "Ihre Tickets gelten für den neuen Termin.",
    },
    held: {
      subject: (name) => `Die Veranstaltung findet statt: ${name}`,
      heading: "Die Veranstaltung findet doch statt",
      words: "Ihre Tickets sind gültig.",
    },
  },
  passwordReset: {
    subject: "Wählen Sie ein neues Passwort",
    heading: "Wählen Sie ein neues Passwort",
    words: "Jemand, vermutlich Sie, hat ein neues Passwort für Ihr Konto angefordert.",
    button: "Neues Passwort wählen",
    notes: [
      "Der Link gilt einmal, bis 30 Minuten nach der Anforderung. Ein neues Passwort beendet alle " +
        "Sitzungen.",
      "Falls Sie es nicht waren, tun Sie nichts: Ihr Passwort bleibt, wie es ist.",
    ],
  },
  confirmation: {
    subject: "Bestätigen Sie Ihre E-Mail-Adresse",
    heading: "Bestätigen Sie Ihre E-Mail-Adresse",
    words:
      "Diese Adresse wurde für ein Konto angegeben. Bestätigen Sie, dass sie Ihnen gehört, damit " +
      "Ihre Tickets Sie erreichen.",
    button: "Adresse bestätigen",
    notes: [
      "Der Link gilt 7 Tage. Kaufen können Sie auch ohne Bestätigung.",
      "Falls Sie kein Konto eröffnet haben, tun Sie nichts.",
    ],
  },
};
