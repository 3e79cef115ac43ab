import { TextDecoder } from "node:util";
import { FeedError } from "./feed-error.ts";

/**
 * A fold inside of a character (RFC 5545, 3.1): the rest of the character begins the next line. No
 * other UTF-8 text has such a byte behind a blank.
 */
const FOLD_IN_CHARACTER = /\r*\n[ \t](?=[\x80-\xBF])/g;
const FOLD_AT_END = /\r*(?:\n[ \t]?)?$/;

/**
 * Decodes text in chunks. The encoding is the byte order mark's, else the declared one, else UTF-16
 * if the first bytes are a Latin letter of it, else UTF-8. What is not valid becomes U+FFFD, which
 * the readers refuse.
 */
export async function* decodedText(
  bytes: AsyncIterable<Buffer>,
  declared: string | undefined,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let rest = "";
  for await (const chunk of bytes) {
    decoder ??= decoderFor(chunk, declared);
    if (decoder.encoding !== "utf-8") {
      yield decoder.decode(chunk, { stream: true });
      continue;
    }
    const text = rest + chunk.toString("latin1");
    rest = FOLD_AT_END.exec(text)?.[0] ?? "";
    const whole = text.slice(0, text.length - rest.length).replace(FOLD_IN_CHARACTER, "");
    yield decoder.decode(Buffer.from(whole, "latin1"), { stream: true });
  }
  if (decoder === undefined) return;
  const end = decoder.decode(Buffer.from(rest, "latin1"));
  if (end !== "") yield end;
}

function decoderFor(first: Buffer, declared: string | undefined): TextDecoder {
  const [one, two] = first;
  if (one === 0xef && two === 0xbb) return new TextDecoder("utf-8");
  if ((one === 0xff && two === 0xfe) || (two === 0 && one !== 0))
    return new TextDecoder("utf-16le");
  if ((one === 0xfe && two === 0xff) || (one === 0 && two !== 0))
    return new TextDecoder("utf-16be");
  try {
    return new TextDecoder(declared ?? "utf-8");
  } catch {
    throw new FeedError(`its encoding "${(declared ?? "").slice(0, 40)}" is not known`);
  }
}
