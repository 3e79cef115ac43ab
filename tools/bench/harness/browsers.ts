/**
 * Requests as a gateway gets them from browsers through a proxy: many people, each with a token, an
 * address and a browser of their own. The session's cookie is not among them, because browsers send
 * it to /api/auth only.
 */

type Browser = {
  userAgent: string;
  /** Client hints, which Chromium's family sends. */
  hints: Record<string, string>;
};

const HOST = "tickets.example.org";
const LANGUAGES = [
  "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7",
  "en-US,en;q=0.9",
  "en-GB,en;q=0.9",
  "fr-FR,fr;q=0.9,en;q=0.7",
  "pl,en-US;q=0.7,en;q=0.3",
];
const DESKTOPS = [
  { system: "Windows NT 10.0; Win64; x64", name: "Windows" },
  { system: "Macintosh; Intel Mac OS X 10_15_7", name: "macOS" },
  { system: "X11; Linux x86_64", name: "Linux" },
];
const ANDROID = { system: "Linux; Android 10; K", name: "Android" };
const CHROMIUM_VERSIONS = [139, 140, 141, 142, 143];

/** Fifty browsers: five versions of Chrome on four systems, of Edge, Firefox and Safari. */
export const BROWSERS: readonly Browser[] = [
  ...CHROMIUM_VERSIONS.flatMap((version) => [
    ...[...DESKTOPS, ANDROID].map((on) => chromium(on, version, "Google Chrome", "")),
    chromium(
      { system: "Windows NT 10.0; Win64; x64", name: "Windows" },
      version,
      "Microsoft Edge",
      ` Edg/${version}.0.0.0`,
    ),
  ]),
  ...[141, 142, 143, 144, 145].flatMap((version) =>
    ["Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10.15", "X11; Linux x86_64"].map(
      (system) => ({
        userAgent: `Mozilla/5.0 (${system}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`,
        hints: {},
      }),
    ),
  ),
  ...["17.6", "18.4", "18.5", "18.6", "26.0"].flatMap((version) => [
    safari("iPhone; CPU iPhone OS 18_6 like Mac OS X", `Version/${version} Mobile/15E148`),
    safari("Macintosh; Intel Mac OS X 10_15_7", `Version/${version}`),
  ]),
];

function chromium(
  { system, name }: { system: string; name: string },
  version: number,
  brand: string,
  suffix: string,
): Browser {
  const mobile = name === "Android";
  const engine = `Chrome/${version}.0.0.0${mobile ? " Mobile" : ""} Safari/537.36${suffix}`;
  return {
    userAgent: `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) ${engine}`,
    hints: {
      "sec-ch-ua-platform": `"${name}"`,
      "sec-ch-ua": `"${brand}";v="${version}", "Not.A/Brand";v="8", "Chromium";v="${version}"`,
      "sec-ch-ua-mobile": mobile ? "?1" : "?0",
    },
  };
}

function safari(system: string, version: string): Browser {
  return {
    userAgent: `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) ${version} Safari/605.1.15`,
    hints: {},
  };
}

/** What a person asks for. `json`: the body of a POST. */
export type Ask = { path: string; token?: string; json?: string };

/** Returns an ask as bytes of HTTP/1.1. */
export type AskBytes = (ask: Ask) => string;

/**
 * Returns how a person's browser asks, after a proxy has passed it on. `person`: a number below 16
 * million, which chooses browser, language and address.
 */
export function browserOf(person: number): AskBytes {
  const { userAgent, hints } = BROWSERS[person % BROWSERS.length] ?? { userAgent: "", hints: {} };
  const same = lines({
    Host: HOST,
    ...hints,
    "User-Agent": userAgent,
    Accept: "application/json",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    Referer: `https://${HOST}/`,
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": LANGUAGES[person % LANGUAGES.length] ?? "",
    "X-Forwarded-For": `10.${(person >> 16) & 255}.${(person >> 8) & 255}.${person & 255}`,
    "X-Forwarded-Proto": "https",
    "X-Request-ID": `bench-${person.toString(36).padStart(8, "0")}`,
  });
  return ({ path, token, json }) => {
    const own = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
    if (json === undefined) return `GET ${path} HTTP/1.1\r\n${same}${own}\r\n`;
    const body = lines({
      "Content-Type": "application/json",
      "Content-Length": String(Buffer.byteLength(json)),
      Origin: `https://${HOST}`,
    });
    return `POST ${path} HTTP/1.1\r\n${same}${own}${body}\r\n${json}`;
  };
}

function lines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}

/** Purchases of one ticket: each buyer buys of one of the events. */
export function purchases(eventIds: readonly string[], tokens: readonly string[]): Ask[] {
  return tokens.map((token, buyer) => ({
    path: `/api/events/${eventIds[buyer % eventIds.length]}/tickets`,
    token,
    json: '{"quantity":1}',
  }));
}
