import type { IncomingHttpHeaders } from "node:http";

/**
 * A POST's head without what is its own: the id in its path, and the values of these headers where they are plain. Nothing else than such a value can stand
 * in a whole line of a head, so a parser reads two heads of one shape alike but for those values. Heads without an id have none.
 */
export type Shape = {
  text: string;
  url: string;
  /** In the order of their lines: names in small letters, each once. */
  own: readonly (readonly [name: OwnHeader, value: string])[];
  /** Where the head ends, in bytes. */
  bodyAt: number;
};

type OwnHeader = (typeof OWN_HEADERS)[number];
const OWN_HEADERS = ["authorization", "idempotency-key", "x-request-id"] as const;

const REQUEST_LINE = /^POST (\/[\w/]+\/)([\w-]{36})([\w/]*) HTTP\/1\.1(?=\r\n)/;
const OWN_LINE = new RegExp(`\\r\\n(${OWN_HEADERS.join("|")}): ((?:bearer )?[\\w.~+/=-]+)(?=\\r\\n)`, "gi");
const HEAD_END = "\r\n\r\n";

/** Of a text in Latin-1 that may begin with a head. */
export function shapeOf(text: string): Shape | undefined {
  const end = text.indexOf(HEAD_END);
  const line = end === -1 ? null : REQUEST_LINE.exec(text);
  if (line === null) return undefined;
  const [{ length }, before = "", id = "", after = ""] = line;
  const own: [OwnHeader, string][] = [];
  let rest = `POST ${before}${after}`;
  let from = (OWN_LINE.lastIndex = length);
  for (let found = OWN_LINE.exec(text); found !== null && found.index < end; found = OWN_LINE.exec(text)) {
    const [, name = "", value = ""] = found;
    own.push([name.toLowerCase() as OwnHeader, value]);
    rest += text.slice(from, OWN_LINE.lastIndex - value.length);
    from = OWN_LINE.lastIndex;
  }
  return { text: rest + text.slice(from, end), url: before + id + after, own, bodyAt: end + HEAD_END.length };
}

/** Whether the headers, as they were parsed, say of what is a request's own just what its shape does. */
export function isOwnOf(headers: IncomingHttpHeaders, { own }: Shape): boolean {
  return OWN_HEADERS.every((header) => {
    const values = own.filter(([name]) => name === header).map(([, value]) => value);
    return values.length < 2 && headers[header] === values[0];
  });
}
