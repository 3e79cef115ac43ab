/** One answer of HTTP/1. `id` is its X-Request-ID. */
export type HttpAnswer = {
  status: number;
  closes: boolean;
  id: string | undefined;
  type: string | undefined;
};

export type Answers = {
  answers: HttpAnswer[];
  /** What is wrong with the framing; undefined if the bytes are whole answers. */
  broken: string | undefined;
};

/** Reads answers by their framing. Leaves out interim ones (100 Continue). */
export function readAnswers(bytes: Buffer, isHead: boolean): Answers {
  const answers: HttpAnswer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf("\r\n\r\n");
    const lines = rest.subarray(0, Math.max(0, end)).toString("latin1").split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) ?/.exec(lines[0] ?? "")?.[1]);
    if (end === -1 || !(status >= 100)) return { answers, broken: `no head: ${shown(rest)}` };
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const of = (name: string): string[] =>
      lines
        .slice(1)
        .filter((line) => line.toLowerCase().startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2));
    answers.push({
      status,
      closes: of("connection").some((value) => value.toLowerCase() === "close"),
      id: of("x-request-id")[0],
      type: of("content-type")[0],
    });
    const [lengths, encodings] = [of("content-length"), of("transfer-encoding")];
    if (lengths.length + encodings.length > 1) return { answers, broken: "two framings" };
    if (status === 204 || status === 304) continue;
    // Bytes that are no request get a body, whatever method they seem to have.
    if (isHead && !rest.subarray(0, 1).equals(Buffer.from("{"))) continue;
    if (encodings.length > 0) return { answers, broken: "an answer in chunks" };
    if (lengths.length === 0) {
      rest = Buffer.alloc(0); // Until the connection ends, as Node answers by itself.
      continue;
    }
    const length = Number(lengths[0]);
    if (rest.length < length) return { answers, broken: "a body that is cut short" };
    rest = rest.subarray(length);
  }
  return { answers, broken: undefined };
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 60).toString("latin1"));
}
