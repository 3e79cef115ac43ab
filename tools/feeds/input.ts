import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { decodedText } from "./decode-text.ts";
import { FeedError } from "./feed-error.ts";

const CONNECT_MS = 30_000;

/**
 * `totalBytes` is 0 (unknown) for standard input and for servers that send no length. `readBytes`
 * counts received bytes, before decompression.
 */
export type Input = {
  chunks: AsyncIterable<string>;
  totalBytes: number;
  readBytes: () => number;
  close: () => void;
};

/**
 * Opens a file, a web address, or `-` for standard input, as text in chunks. Detects gzip by its
 * first bytes; the encoding is UTF-8, or what the server or the first bytes say.
 * Rejects with FeedError if it cannot be opened; the chunks reject with it if it breaks off.
 */
export async function openInput(source: string, standardInput: Readable): Promise<Input> {
  const { stream, totalBytes, charset } = await openStream(source, standardInput);
  let readBytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of stream) {
        const bytes = Buffer.from(chunk as Uint8Array);
        readBytes += bytes.length;
        yield bytes;
      }
    } catch (error) {
      throw new FeedError(`reading broke off at byte ${readBytes}: ${messageOf(error)}`);
    }
  };
  return {
    chunks: textOf(counted(), charset),
    totalBytes,
    readBytes: () => readBytes,
    close: () => void stream.destroy(),
  };
}

async function openStream(
  source: string,
  standardInput: Readable,
): Promise<{ stream: Readable; totalBytes: number; charset?: string }> {
  if (source === "-") return { stream: standardInput, totalBytes: 0 };
  if (!/^https?:\/\//i.test(source)) {
    const file = await stat(source).catch((error: unknown) => {
      throw new FeedError(`it cannot be opened: ${messageOf(error)}`);
    });
    if (file.isDirectory()) throw new FeedError("it is a folder");
    return { stream: createReadStream(source), totalBytes: file.size };
  }
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`no answer within ${CONNECT_MS / 1000} s`)),
    CONNECT_MS,
  );
  try {
    const response = await fetch(source, {
      signal: abort.signal,
      headers: { accept: "application/json, application/ld+json, text/calendar, */*" },
    });
    if (!response.ok || response.body === null)
      throw new Error(`the server answered ${response.status}`);
    // The length counts compressed bytes; fetch returns decompressed ones.
    const packed = response.headers.get("content-encoding") !== null;
    const totalBytes = packed ? 0 : Number(response.headers.get("content-length") ?? 0);
    const charset = /;\s*charset="?([^\s";]+)/i.exec(
      response.headers.get("content-type") ?? "",
    )?.[1];
    return {
      stream: Readable.fromWeb(response.body),
      totalBytes,
      ...(charset === undefined ? {} : { charset }),
    };
  } catch (error) {
    throw new FeedError(`it cannot be fetched: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

async function* textOf(
  bytes: AsyncGenerator<Buffer>,
  charset: string | undefined,
): AsyncGenerator<string> {
  const first = await bytes.next();
  if (first.done === true) return;
  const all = async function* (): AsyncGenerator<Buffer> {
    yield first.value;
    yield* bytes;
  };
  const zipped = first.value[0] === 0x1f && first.value[1] === 0x8b;
  yield* decodedText(zipped ? unpacked(all()) : all(), charset);
}

async function* unpacked(bytes: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(bytes, { objectMode: false });
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  try {
    for await (const chunk of source.pipe(gunzip)) yield chunk as Buffer;
  } catch (error) {
    throw error instanceof FeedError
      ? error
      : new FeedError(`it cannot be unpacked (gzip): ${messageOf(error)}`);
  }
}

/** Returns the cause's message, which fetch hides behind "fetch failed". */
function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
