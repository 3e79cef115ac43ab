import { UnusableRecord } from "../draft-event.ts";

/** Limit of an event's text, and of one line. */
export const EVENT_LENGTH_MAX = 1024 * 1024;

/** One property of a component (RFC 5545, 3.1). Names of parameters are in upper case. */
export type Property = { parameters: ReadonlyMap<string, string>; value: string };

/** An unfolded line. `cut`: its end is missing, because it was longer than EVENT_LENGTH_MAX. */
export type Line = { number: number; text: string; cut: boolean };

/**
 * Splits a text into unfolded lines. A line ends with CR, LF, CRLF, or several CR and an LF (files
 * that were copied in text mode twice). `number` is the line's first in the file.
 */
export async function* unfoldedLines(chunks: AsyncIterable<string>): AsyncGenerator<Line> {
  let line: Line | undefined;
  let number = 0;
  for await (const { text, cut } of rawLines(chunks)) {
    number += 1;
    if (line !== undefined && /^[ \t]/.test(text)) {
      line.cut ||= cut || line.text.length + text.length > EVENT_LENGTH_MAX;
      if (!line.cut) line.text += text.slice(1);
      continue;
    }
    if (line !== undefined) yield line;
    line = { number, text, cut };
  }
  if (line !== undefined) yield line;
}

async function* rawLines(
  chunks: AsyncIterable<string>,
): AsyncGenerator<{ text: string; cut: boolean }> {
  let rest = "";
  let cut = false;
  for await (const chunk of chunks) {
    const text = rest + chunk;
    let start = 0;
    // A CR at the end of the chunk may belong to a CRLF that continues in the next one.
    for (const { 0: end, index } of text.matchAll(/\r*\n|\r+(?=[^\r\n])/g)) {
      yield { text: text.slice(start, index), cut };
      start = index + end.length;
      cut = false;
    }
    rest = text.slice(start);
    if (rest.length <= EVENT_LENGTH_MAX) continue;
    cut = true;
    rest = rest.slice(0, 1_000) + (/\r+$/.exec(rest)?.[0] ?? "");
  }
  rest = rest.replace(/\r+$/, "");
  if (rest !== "") yield { text: rest, cut };
}

const PARAMETER = /;([\w-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)/gy;

/** Returns the name of a line's property in upper case, or "" if it is no property. */
export function nameOfLine(text: string): string {
  return /^\s*([\w-]+)[;:]/.exec(text)?.[1]?.toUpperCase() ?? "";
}

/** Reads one unfolded line. Throws UnusableRecord if it is no content line. */
export function propertyOf(text: string): Property {
  const name = nameOfLine(text);
  const line = text.trimStart();
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = name.length;
  let end = name.length;
  for (let found = PARAMETER.exec(line); found !== null; found = PARAMETER.exec(line)) {
    const [, parameter = "", value = ""] = found;
    parameters.set(parameter.toUpperCase(), value.replaceAll('"', ""));
    end = PARAMETER.lastIndex;
  }
  if (line[end] === ":") return decoded({ parameters, value: line.slice(end + 1) }, name);
  throw new UnusableRecord(`${name} cannot be read`);
}

/** Decodes the quoted-printable of vCalendar 1.0, which old telephones and Outlook write. */
function decoded(property: Property, name: string): Property {
  const { parameters, value } = property;
  if (parameters.get("ENCODING")?.toUpperCase() !== "QUOTED-PRINTABLE") return property;
  const bytes = value.replace(/=([\da-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(parseInt(code, 16)),
  );
  try {
    const decoder = new TextDecoder(parameters.get("CHARSET") ?? "utf-8");
    return { parameters, value: decoder.decode(Buffer.from(bytes, "latin1")) };
  } catch {
    throw new UnusableRecord(`${name} has a CHARSET that is not known`);
  }
}

/** Undoes the escapes of a text (RFC 5545, 3.3.11). */
export function plainText(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, letter: string) =>
    letter.toLowerCase() === "n" ? "\n" : letter,
  );
}
