import type en from "./en-texts.ts";

const texts: typeof en = {
  layout: {
    skip: "Zum Inhalt springen",
    home: "Boxoffice, alle Veranstaltungen",
    navigation: "Hauptmenü",
    events: "Programm",
    tickets: "Meine Tickets",
    account: "Konto",
    engine: "System",
    signIn: "Anmelden",
    language: "Sprache",
    offline:
      "Sie sind offline. Ihre Bestellungen bleiben erhalten und gehen weiter, " +
      "sobald Sie wieder online sind.",
    promise: "Ein Ticket gehört Ihnen, sobald wir es bestätigen, und nur Ihnen.",
  },
  parts: {
    loading: "Wird geladen …",
    trying: "Noch keine Antwort. Wir versuchen es weiter.",
    tryAgain: "Noch einmal versuchen",
  },
  session: {
    restoring: "Anmeldung wird geprüft …",
    delayed:
      "Wir können Ihre Anmeldung noch nicht bestätigen. Wir versuchen es weiter. " +
      "Sie können sich auch neu anmelden.",
  },
  notFound: {
    page: "Seite nicht gefunden",
    event: "Veranstaltung nicht gefunden",
    ticket: "Ticket nicht gefunden",
    words: "Der Link ist vielleicht veraltet oder unvollständig.",
    browse: "Alle Veranstaltungen ansehen",
  },
  fault: {
    title: "Diese Seite funktioniert gerade nicht",
    words:
      "Der Fehler liegt bei uns. Ihre Tickets sind sicher, " +
      "und eine laufende Bestellung geht weiter.",
    reload: "Seite neu laden",
  },
  type: {
    concert: "Konzert",
    theatre: "Theater",
    football: "Fußball",
    conference: "Konferenz",
    comedy: "Comedy",
    festival: "Festival",
    workshop: "Workshop",
    exhibition: "Ausstellung",
  },
  browse: {
    title: "Was möchten Sie erleben?",
    search: "Veranstaltungen suchen",
    name: "Name oder Stadt",
    namePlaceholder: "Künstlerin, Verein, Stück, Stadt …",
    city: "Stadt",
    cityPlaceholder: "Überall",
    when: "Wann",
    from: "Von",
    to: "Bis",
    type: "Art",
    anyType: "Alles",
    span: {
      any: "Jederzeit",
      today: "Heute",
      weekend: "Dieses Wochenende",
      week: "Nächste 7 Tage",
      other: "Tage wählen",
    },
    results: "Veranstaltungen",
    found_one: "{{count}} Veranstaltung wird gezeigt",
    found_other: "{{count}} Veranstaltungen werden gezeigt",
    nothing: "Keine Veranstaltungen gefunden",
    nothingWords:
      "Keine Veranstaltung passt zu allen Filtern. " +
      "Versuchen Sie es mit weniger Wörtern oder mehr Tagen.",
    clear: "Alle Filter zurücksetzen",
    more: "Weitere Veranstaltungen",
  },
  event: {
    page: "Veranstaltung",
    soldOut: "Ausverkauft",
    cancelled: "Veranstaltung abgesagt",
    postponed: "Veranstaltung verschoben",
    few_one: "Nur noch {{number}} Ticket",
    few_other: "Nur noch {{number}} Tickets",
    available: "Verfügbar",
    left_one: "Noch {{number}} von {{total}} Tickets",
    left_other: "Noch {{number}} von {{total}} Tickets",
    date: "Datum",
    time: "Zeit",
    here: "{{when}} Ihrer Zeit",
    duration: "Dauer",
    place: "Ort",
    capacity: "Kapazität",
    places_one: "{{number}} Person",
    places_other: "{{number}} Personen",
    website: "Website",
  },
  buy: {
    title: "Tickets",
    quantity: "Anzahl",
    buy_one: "{{count}} Ticket kaufen",
    buy_other: "{{count}} Tickets kaufen",
    more_one: "Noch {{count}} Ticket kaufen",
    more_other: "Noch {{count}} Tickets kaufen",
    busy: "Wird gekauft …",
    signIn: "Zum Kaufen anmelden",
    soldOut: "Zurückgegebene Tickets erscheinen hier sofort.",
    cancelled: "Die Veranstaltung ist abgesagt. Es werden keine Tickets mehr verkauft.",
    postponed:
      "Die Veranstaltung ist verschoben. Bis zum neuen Termin werden keine Tickets verkauft.",
    over: "Die Veranstaltung hat begonnen. Es werden keine Tickets mehr verkauft.",
  },
  order: {
    bought_one: "Sie haben {{count}} Ticket gekauft",
    bought_other: "Sie haben {{count}} Tickets gekauft",
    ticket: "Ticket {{number}}",
    all: "Alle meine Tickets",
    busy: "Gerade kaufen sehr viele. Für Sie wurde noch nichts gekauft. Wir versuchen es weiter.",
    inDoubt:
      "Noch ist keine Antwort da. Vielleicht hat es schon geklappt, " +
      "darum senden wir dieselbe Bestellung noch einmal. Doppelt kaufen können Sie nicht.",
    offline:
      "Sie sind offline. Ihre Bestellung wartet und geht weiter, sobald Sie wieder online sind.",
    paused:
      "Wir wissen noch nicht, ob Ihre Bestellung vom {{when}} geklappt hat. " +
      "Sie können es gefahrlos noch einmal versuchen: " +
      "Es ist dieselbe Bestellung, doppelt kaufen können Sie nicht.",
    pausedNothing: "Gerade ist sehr viel los. Für Sie wurde nichts gekauft.",
    goOn_one: "Noch einmal versuchen: {{count}} Ticket",
    goOn_other: "Noch einmal versuchen: {{count}} Tickets",
    forget: "Aufhören und in „Meine Tickets“ nachsehen",
    stop: "Aufhören",
  },
  tickets: {
    title: "Meine Tickets",
    views: "Welche Tickets",
    upcoming: "Kommende",
    past: "Vergangene",
    cancelled: "Stornierte",
    asOf: "Stand: {{when}}. Neuere Daten können wir gerade nicht zeigen. Ihre Tickets bleiben gültig.",
    none: {
      upcoming: "Sie haben keine kommenden Tickets.",
      past: "Sie haben keine Tickets vergangener Veranstaltungen.",
      cancelled: "Sie haben keine stornierten Tickets.",
    },
  },
  ticket: {
    page: "Ticket",
    admitsOne: "Gültig für eine Person",
    cancelled: "Storniert",
    void: "Storniert am {{when}}. Dieses Ticket gilt nicht mehr.",
    code: "QR-Code dieses Tickets für den Einlass",
    holder: "Name",
    number: "Nummer",
    bought: "Gekauft",
    calendar: "In den Kalender",
    print: "Drucken",
    cancel: "Ticket stornieren …",
    all: "Alle meine Tickets",
  },
  cancel: {
    title: "Dieses Ticket stornieren?",
    words:
      "Ihr Platz bei {{name}} am {{day}} wird sofort wieder verkauft. " +
      "Das lässt sich nicht rückgängig machen.",
    keep: "Ticket behalten",
    cancel: "Endgültig stornieren",
    busy: "Wird storniert …",
    trying:
      "Noch keine Antwort. Wir versuchen es noch einmal. Das Ticket wird nur einmal storniert.",
  },
  account: {
    title: "Konto",
    signIn: "Anmelden",
    signingIn: "Anmeldung läuft …",
    andBack: "Nach der Anmeldung kehren Sie zu Ihrer Seite zurück.",
    email: "E-Mail",
    password: "Passwort",
    name: "Name",
    passwordHint:
      "Mindestens 12 Zeichen. Gut sind mehrere Wörter, die nichts miteinander zu tun haben.",
    noAccount: "Noch kein Konto?",
    haveAccount: "Sie haben schon ein Konto?",
    register: "Konto anlegen",
    registering: "Konto wird angelegt …",
    signOut: "Abmelden",
    signOutEverywhere: "Überall abmelden",
    sessions: "Wo Sie angemeldet sind",
    thisOne: "Dieses Gerät",
    lastUsed: "Zuletzt benutzt: {{when}}",
    end: "Abmelden",
    unknownDevice: "Unbekanntes Gerät",
    changePassword: "Passwort ändern",
    currentPassword: "Bisheriges Passwort",
    newPassword: "Neues Passwort",
    passwordChanged: "Ihr Passwort ist geändert. Ihre anderen Geräte sind abgemeldet.",
  },
  problem: {
    UNREACHABLE:
      "Wir sind gerade nicht erreichbar. " +
      "Bitte prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.",
    TRY_AGAIN: "Gerade ist sehr viel los. Bitte versuchen Sie es gleich noch einmal.",
    OUTCOME_UNKNOWN:
      "Wir wissen noch nicht, ob es geklappt hat. Sie können es gefahrlos noch einmal versuchen.",
    TOO_MANY_REQUESTS: "Zu viele Anfragen. Bitte warten Sie einen Augenblick.",
    INTERNAL: "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal.",
    INVALID_CREDENTIALS: "E-Mail oder Passwort ist falsch.",
    EMAIL_TAKEN: "Mit dieser E-Mail gibt es schon ein Konto. Bitte melden Sie sich an.",
    PASSWORD_TOO_WEAK:
      "Dieses Passwort ist zu leicht zu erraten. " +
      "Gut sind mehrere Wörter, die nichts miteinander zu tun haben.",
    VALIDATION_ERROR: "Einige Angaben sind ungültig. Bitte prüfen Sie sie.",
    UNAUTHENTICATED: "Bitte melden Sie sich noch einmal an.",
    TOKEN_EXPIRED: "Bitte melden Sie sich noch einmal an.",
    FORBIDDEN: "Das dürfen Sie nicht.",
    CSRF_REFUSED: "Das geht nur von den Seiten von Boxoffice aus. Bitte laden Sie die Seite neu.",
    EVENT_NOT_FOUND: "Diese Veranstaltung gibt es nicht.",
    EVENT_CANCELLED: "Die Veranstaltung ist abgesagt. Es wurde nichts gekauft.",
    EVENT_POSTPONED: "Die Veranstaltung ist verschoben. Es wurde nichts gekauft.",
    EVENT_SOLD_OUT: "Es sind nicht mehr genug Tickets da. Es wurde nichts gekauft.",
    EVENT_OVER: "Die Veranstaltung hat begonnen. Es wurde nichts geändert.",
    PURCHASE_LIMIT_REACHED:
      "Sie können für diese Veranstaltung höchstens {{limit}} Tickets haben. " +
      "Es wurde nichts gekauft.",
    IDEMPOTENCY_KEY_REUSED:
      "Diese Bestellung gab es schon, mit einer anderen Anzahl. " +
      "Bitte sehen Sie in „Meine Tickets“ nach.",
    TICKET_NOT_FOUND: "Dieses Ticket haben Sie nicht.",
    SESSION_NOT_FOUND: "Diese Anmeldung ist schon beendet.",
  },
  engine: {
    title: "System",
    closed: "Diese Seite ist für Betreiber",
    closedWords:
      "Sie sind als {{name}} angemeldet. Dieses Konto gehört keinem Betreiber. " +
      "Lassen Sie sich die Rolle geben und melden Sie sich neu an.",
    lead: "Stand des Systems um {{when}}.",
    sales: "Verkaufte Tickets pro Sekunde",
    waiting: "Wartende Käufe",
    queue: "Nachrichten in der Warteschlange",
    lag: "Rückstand der Buchung",
    hits: "Suchen aus Redis beantwortet",
    kept: "Suchen vom Gateway beantwortet",
    streams: "Offene Verfügbarkeits-Streams",
    workers: "Worker",
    nodes: "Knoten",
    node: "Knoten",
    event: "Veranstaltung",
    mailbox: "Wartend",
    batch: "Größter Stapel",
    sold: "Verkauft",
    left: "Übrig",
    state: "Zustand",
    services: "Dienste",
    idle: "Gerade wird nichts verkauft.",
    degraded: "Ohne Lease",
    well: "In Ordnung",
    silent: "Keine Antwort: {{services}}",
    most: "Spitze {{most}}",
    plot: "{{name}}, letzte {{count}} Messungen, jetzt {{now}}",
    unknown: "–",
  },
};

export default texts;
