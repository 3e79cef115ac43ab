import { getManyValues, isMany, none } from "stream-chain/defs.js";
import { Assembler } from "stream-json/assembler.js";
import { jsonParser, type Token } from "stream-json/parser.js";
import { jsonVerifier, type VerifierError } from "stream-json/utils/verifier.js";
import { FeedError } from "./feed-error.ts";

/** Fields that hold the list of records: JSON-LD's graph and item list, the API's page. */
const LISTS = new Set(["@graph", "itemListElement", "items", "events"]);
/** Limit of one record's text. A feed is never in memory as a whole. */
const RECORD_LENGTH_MAX = 4 * 1024 * 1024;

/**
 * Reads the records of a JSON document in chunks of any size: the elements of an array, the
 * elements of an object's list, or values in sequence (JSON lines). Throws FeedError with line
 * and column if the text is not JSON.
 */
export async function* jsonValues(chunks: AsyncIterable<string>): AsyncGenerator {
  const verify = jsonVerifier({ jsonStreaming: true });
  const parse = jsonParser({ jsonStreaming: true, packValues: true, streamValues: false });
  const walk = createWalker();
  let sinceRecord = 0;
  let readBefore = 0;

  const records = function* (chunk: string | typeof none): Generator {
    const tokens: unknown = parse(chunk as string);
    if (!isMany(tokens)) return;
    for (const token of getManyValues(tokens) as Token[]) {
      const found = walk(token);
      if (found === undefined) continue;
      sinceRecord = 0;
      yield found.value;
    }
  };
  const read = function* (chunk: string | typeof none): Generator {
    try {
      verify(chunk as string);
    } catch (error) {
      const { line, pos, offset } = error as VerifierError;
      // The records before the fault are good.
      if (typeof chunk === "string")
        yield* records(chunk.slice(0, Math.max(0, offset - readBefore)));
      throw new FeedError(`not JSON at line ${line}, column ${pos}`);
    }
    yield* records(chunk);
    if (typeof chunk === "string") readBefore += chunk.length;
  };

  for await (const chunk of chunks) {
    sinceRecord += chunk.length;
    yield* read(chunk);
    if (sinceRecord > RECORD_LENGTH_MAX)
      throw new FeedError(`a record is longer than ${RECORD_LENGTH_MAX / 1024 / 1024} MiB`);
  }
  yield* read(none);
}

type Found = { value: unknown } | undefined;

/** Assembles the tokens of one record at a time and skips the structure around them. */
function createWalker(): (token: Token) => Found {
  /** Lists and objects around the current record, outermost first. */
  const around: ("array" | "object")[] = [];
  let assembler: Assembler | undefined;
  let listKey = false;
  let plainKey: string | undefined;
  /** The outer object. It is a record itself if it contains no list. */
  let outer: Record<string, unknown> = {};
  let listSeen = false;

  const finished = (value: unknown): Found => {
    if (around.at(-1) !== "object") return { value };
    if (plainKey !== undefined)
      Object.defineProperty(outer, plainKey, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return undefined;
  };
  const assemble = (token: Token): Found => {
    assembler ??= new Assembler();
    assembler.consume(token);
    if (!assembler.done) return undefined;
    const value = assembler.current;
    assembler = undefined;
    return finished(value);
  };

  return (token) => {
    if (assembler !== undefined) return assemble(token);
    switch (token.name) {
      case "keyValue":
        listKey = LISTS.has(token.value);
        plainKey = token.value;
        return undefined;
      case "startArray":
        if (around.length === 0 || (around.length === 1 && around[0] === "object" && listKey)) {
          listSeen ||= around.length === 1;
          around.push("array");
          return undefined;
        }
        return assemble(token);
      case "startObject":
        if (around.length > 0) return assemble(token);
        around.push("object");
        outer = {};
        listSeen = false;
        return undefined;
      case "endArray":
        around.pop();
        return undefined;
      case "endObject":
        around.pop();
        return listSeen ? undefined : { value: outer };
      default:
        return assemble(token);
    }
  };
}
