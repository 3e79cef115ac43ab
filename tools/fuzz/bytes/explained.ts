import type { Answers, HttpAnswer } from "./answers.ts";
import type { ByteStream, Quirk } from "./byte-streams.ts";

type Pair = {
  quirks: ReadonlySet<Quirk>;
  plain: HttpAnswer | undefined;
  gateway: HttpAnswer | undefined;
  /** All answers to the stream. */
  all: { plain: readonly HttpAnswer[]; gateway: readonly HttpAnswer[] };
} & Way;

/** `lost`: answers may be lost on their way. `isProxied`: nginx passed them on. */
export type Way = { lost: boolean; isProxied: boolean };

/** How Node answers bytes that it cannot read. */
const UNREADABLE = new Set([400, 408, 413, 431]);

/** Differences between the gateway and Node's plain server that are on purpose. No other may be. */
const EXPLAINED: Readonly<Record<string, (pair: Pair) => boolean>> = {
  "Host is checked, as RFC 9112 3.2 asks; Node takes the first and checks none": ({
    quirks,
    gateway,
  }) => quirks.has("host") && isRefusal(gateway, 400),
  "Transfer-Encoding is checked, as RFC 9112 6.1 asks; Node answers before it looks at the body": ({
    quirks,
    gateway,
  }) => quirks.has("coding") && isRefusal(gateway, 400),
  "HTTP/1.0 and 1.1 only; Node serves each version that its parser reads": ({ quirks, gateway }) =>
    quirks.has("version") && isRefusal(gateway, 400),
  "an absolute-form is served as its path; Node passes it on": ({ quirks, plain, gateway }) =>
    quirks.has("absolute") && plain !== undefined && gateway !== undefined && gateway.status < 500,
  "OPTIONS * is answered, and * with other methods is a 400": ({ quirks, gateway }) =>
    quirks.has("asterisk") && (gateway?.status === 204 || isRefusal(gateway, 400)),
  "CONNECT is a 405; Node closes without an answer": ({ quirks, plain, gateway }) =>
    quirks.has("connect") && plain === undefined && isRefusal(gateway, 405),
  "too large a head is a 413; Node has 431": ({ quirks, plain, gateway }) =>
    quirks.has("overflow") && plain?.status === 431 && isRefusal(gateway, 413),
  "a request that does not come in time is a 400; Node has 408": ({ plain, gateway }) =>
    plain?.status === 408 && isRefusal(gateway, 400),
  "too long an extension of a chunk is a 400; Node has 413": ({ plain, gateway }) =>
    plain?.status === 413 && isRefusal(gateway, 400),
  "requests are answered before what follows is refused; Node refuses at once": ({ plain, all }) =>
    (plain === undefined || isLastOfNode(plain, all.plain)) && all.gateway.at(-1)?.closes === true,
  "a server that closes before it has read all resets the connection; TLS knows no half-closed one":
    ({ plain, gateway, all, lost }) =>
      lost && (plain === undefined || gateway === undefined || isLastOfNode(plain, all.plain)),
  "Node's own refusals have no length, so nginx closes behind them": ({ plain, all, isProxied }) =>
    isProxied && plain === undefined && UNREADABLE.has(all.plain.at(-1)?.status ?? 0),
};

/** How often each explanation was needed. */
export type Explanations = Map<string, number>;

/**
 * Compares the answers to one stream, in order. Returns what differs without an explanation. After
 * a refusal that closes the connection nothing is compared: Node's own may go on.
 */
export function differenceOf(
  { quirks }: ByteStream,
  { answers: plainAnswers }: Answers,
  { answers: gatewayAnswers }: Answers,
  way: Way,
  explanations: Explanations,
): string | undefined {
  const all = { plain: plainAnswers, gateway: gatewayAnswers };
  for (let index = 0; index < Math.max(all.plain.length, all.gateway.length); index += 1) {
    const [plain, gateway] = [all.plain[index], all.gateway[index]];
    if (plain?.status !== gateway?.status) {
      const pair = { quirks, plain, gateway, all, ...way };
      const [name] = Object.entries(EXPLAINED).find(([, explains]) => explains(pair)) ?? [];
      if (name === undefined)
        return `answer ${index + 1}: ${statuses(all.plain)} of Node, ${statuses(all.gateway)} here`;
      explanations.set(name, (explanations.get(name) ?? 0) + 1);
    }
    if (isRefusal(gateway)) return undefined;
  }
  return undefined;
}

/** Node refuses bytes behind a request at once, in the place of the request's answer. */
function isLastOfNode(plain: HttpAnswer, all: readonly HttpAnswer[]): boolean {
  return UNREADABLE.has(plain.status) && plain === all.at(-1);
}

/** A problem document of the server itself, which closes the connection. */
function isRefusal(answer: HttpAnswer | undefined, status = answer?.status): boolean {
  return (
    answer !== undefined &&
    answer.closes &&
    answer.id === undefined &&
    answer.status === status &&
    answer.status >= 400 &&
    answer.type === "application/problem+json"
  );
}

function statuses(answers: readonly HttpAnswer[]): string {
  return answers.map(({ status }) => status).join(" ") || "none";
}
