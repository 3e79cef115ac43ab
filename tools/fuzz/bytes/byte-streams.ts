import { pick, type Random, seededRandom } from "../../testing/seeded-random.ts";

/** What is unusual in a stream. The table of explained differences is by these. */
export type Quirk =
  | "absolute"
  | "asterisk"
  | "authority"
  | "coding"
  | "connect"
  | "expect"
  | "host"
  | "overflow"
  | "target"
  | "version";

export type ByteStream = {
  name: string;
  /** Written one after the other, each as a packet of its own. */
  chunks: readonly Buffer[];
  quirks: ReadonlySet<Quirk>;
  /** The answer has no body. */
  isHead: boolean;
  /**
   * Then: `half-close` ends the client's side and reads all; `reset` destroys at once; `unread`
   * reads nothing and destroys; `hold` sends nothing more and waits.
   */
  end: "half-close" | "reset" | "unread" | "hold";
};

type Part = { text: string; quirk?: Quirk };

const PATHS = [
  "/healthz",
  "/api/events?limit=1",
  "/api/events?limit=0",
  "/api/none",
  "//x",
  "/%",
  "/",
];
const TARGETS: readonly Part[] = [
  { text: "http://shop.example/healthz", quirk: "absolute" },
  { text: "HTTPS://[::1]:80/api/events?limit=2", quirk: "absolute" },
  { text: "http://shop.example", quirk: "absolute" },
  { text: "http://u@shop.example/", quirk: "absolute" },
  { text: "http://shop.example:99999/", quirk: "absolute" },
  { text: "ftp://shop.example/healthz", quirk: "absolute" },
  { text: "*", quirk: "asterisk" },
  { text: "shop.example:80", quirk: "authority" },
  { text: "/a\0b" },
  { text: "/\xe4" },
  { text: "/a b" },
  { text: "" },
  { text: "healthz" },
  { text: "/healthz#part" },
  { text: `/${"x".repeat(17_000)}`, quirk: "overflow" },
];
const VERSIONS = ["0.9", "1.2", "2.0", "3.0", "9.9", "11.1", "1", "x"];
const HOSTS: readonly Part[] = [
  { text: "", quirk: "host" },
  { text: "Host: x\r\nHost: x\r\n", quirk: "host" },
  { text: "Host: x\r\nhOST: y\r\n", quirk: "host" },
  { text: "Host: x/y\r\n", quirk: "host" },
  { text: "Host: a, b\r\n", quirk: "host" },
  { text: "Host:\r\n" },
  { text: "Host : x\r\n" },
  { text: "Host: x\r\n y\r\n" },
];
const FRAMINGS = [
  "Content-Length: 5",
  "Content-Length: 0",
  "Content-Length: 6",
  "Content-Length: -1",
  "Content-Length: +5",
  "Content-Length: 5, 5",
  "Content-Length: 0x5",
  "Content-Length: 99999999999999999999",
  "Content-Length:",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding:\x0bchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: chun\r\n ked",
];
const BODIES = [
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;name=value\r\nhello\r\n0;last\r\n\r\n",
  '5;quoted="a;b"\r\nhello\r\n0\r\n\r\n',
  `5;${"x".repeat(17_000)}\r\nhello\r\n0\r\n\r\n`,
  "5\r\nhello\r\n0\r\nX-Trailer: yes\r\nHost: other\r\n\r\n",
  "5\nhello\n0\n\n",
  "5\r\nhello0\r\n\r\n",
  "-5\r\nhello\r\n0\r\n\r\n",
  "fffffffffffffffff\r\nhello\r\n",
  "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
];
const HEADERS: readonly Part[] = [
  { text: "X-Fold: a\r\n b\r\n" },
  { text: "X-Nul: a\0b\r\n" },
  { text: "X-Space : a\r\n" },
  { text: "no colon\r\n" },
  { text: ": no name\r\n" },
  { text: "X-Bare: a\n" },
  { text: "X-Cr: a\rb\r\n" },
  { text: "X-High: \xff\xfe\r\n" },
  { text: "Connection: close\r\n" },
  { text: "Connection: keep-alive, X-A\r\n" },
  { text: "Connection: Upgrade\r\nUpgrade: websocket\r\n" },
  { text: "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n" },
  { text: "Expect: 100-continue\r\n", quirk: "expect" },
  { text: "Expect: wonders\r\n", quirk: "expect" },
  { text: `X-Large: ${"x".repeat(17_000)}\r\n`, quirk: "overflow" },
  { text: "X-Many: a\r\n".repeat(1_600), quirk: "overflow" },
];
const METHODS = [
  "GET",
  "GET",
  "GET",
  "POST",
  "DELETE",
  "OPTIONS",
  "PUT",
  "get",
  "BREW",
  "PRI",
  "M-SEARCH",
];
const REQUESTS_MAX = 4;
const CHUNKED = "Transfer-Encoding: chunked\r\n";

/** Makes a stream. The same seed makes the same bytes; `name` is the id of its requests. */
export function byteStream(seed: number): ByteStream {
  const random = seededRandom(seed);
  const name = `fuzz-${seed}`;
  const quirks = new Set<Quirk>();
  const isHead = random() < 0.05;
  const count = isHead ? 1 : 1 + Math.floor(random() * REQUESTS_MAX);
  let text =
    random() < 0.1 ? pick(["\r\n", "\r\n\r\n", "\n", "\r", "\r\n".repeat(500)], random) : "";
  for (let index = 0; index < count; index += 1)
    text += request(random, `${name}-${index}`, isHead ? "HEAD" : undefined, quirks);
  if (random() < 0.1) text = text.slice(0, Math.floor(random() * text.length));
  if (random() < 0.1) {
    text += pick(["\0", "\r\n", "GET", "\x16\x03\x01", "PRI * HTTP/2.0\r\n\r\n"], random);
    // It may become the end of a Host that was cut.
    quirks.add("host");
  }
  return {
    name,
    chunks: cut(Buffer.from(text, "latin1"), random),
    quirks,
    isHead,
    end: endOf(random),
  };
}

function request(
  random: Random,
  id: string,
  method: string | undefined,
  quirks: Set<Quirk>,
): string {
  const odd = (share: number): boolean => random() < share;
  const note = ({ text, quirk }: Part): string => {
    if (quirk !== undefined) quirks.add(quirk);
    return text;
  };
  if (odd(0.02))
    return note({ text: `CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n`, quirk: "connect" });
  const target = odd(0.2) ? note(pick(TARGETS, random)) : pick(PATHS, random);
  const version = odd(0.08)
    ? note({ text: pick(VERSIONS, random), quirk: "version" })
    : pick(["1.1", "1.1", "1.0"], random);
  const framings = [odd(0.3), odd(0.1)].filter(Boolean).map(() => `${pick(FRAMINGS, random)}\r\n`);
  const codings = framings.filter((framing) => framing.startsWith("Transfer-Encoding"));
  const isChunked = version === "1.1" && codings.every((coding) => coding === CHUNKED);
  if (codings.length > 0 && !isChunked) quirks.add("coding");
  const headers = [odd(0.2), odd(0.1)].filter(Boolean).map(() => note(pick(HEADERS, random)));
  const host = odd(0.12) ? note(pick(HOSTS, random)) : "Host: x\r\n";
  const protocol = odd(0.02) ? note({ text: "", quirk: "version" }) : ` HTTP/${version}`;
  const line = `${method ?? pick(METHODS, random)} ${target}${protocol}`;
  const head = `${line}\r\n${host}X-Request-ID: ${id}\r\n${framings.join("")}${headers.join("")}\r\n`;
  const body = framings.length > 0 ? pick(BODIES, random) : "";
  return odd(0.03) ? `${head}${body}`.replaceAll("\r\n", "\n") : head + body;
}

/** Whole, at random places, or at every byte. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  const way = random();
  const every = way < 0.1 && bytes.length < 400;
  const places = every
    ? Array.from(bytes.keys())
    : Array.from({ length: way < 0.5 ? 0 : Math.floor(random() * 5) }, () =>
        Math.floor(random() * bytes.length),
      ).sort((one, other) => one - other);
  return [...places, bytes.length]
    .map((place, index, all) => bytes.subarray(index === 0 ? 0 : all[index - 1], place))
    .filter(({ length }) => length > 0);
}

function endOf(random: Random): ByteStream["end"] {
  const way = random();
  return way < 0.06 ? "reset" : way < 0.12 ? "unread" : "half-close";
}
