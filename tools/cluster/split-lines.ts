import type { Readable } from "node:stream";

/** Hands on whole lines of a stream, however it was cut into pieces; a last one without its end too. */
export function eachLine(stream: Readable, heard: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (piece: string) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) heard(line);
  });
  stream.on("end", () => {
    if (rest !== "") heard(rest);
  });
}
