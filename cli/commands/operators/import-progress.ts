import type { WriteStream } from "node:tty";
import cliProgress from "cli-progress";
import type { Counts } from "../../../tools/feeds/feed-record.ts";
import type { Input } from "../../../tools/feeds/input.ts";

const LINE_INTERVAL_MS = 5_000;

export type Progress = {
  start(input: Input): void;
  update(): void;
  /** A line of the report, on standard output, above the bar. */
  line(text: string): void;
  /** A line on standard error. */
  problem(text: string): void;
  stop(): void;
};

/** Shows how far a feed was read: a bar on a terminal, else a line every few seconds. */
export function createProgress(stream: WriteStream, counts: Counts): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: "{bar} {percentage}% | {megabytes} of {size} MB | {done} records",
    hideCursor: true,
    fps: 5,
  });
  let input: Input | undefined;
  let shown = false;
  let nextLineMs = performance.now() + LINE_INTERVAL_MS;
  const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
  const done = (): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const facts = () => ({
    megabytes: megabytes(input?.readBytes() ?? 0),
    size: input === undefined || input.totalBytes === 0 ? "?" : megabytes(input.totalBytes),
    done: done(),
  });
  /** The bar draws itself again below. */
  const clear = (): void => {
    if (shown) stream.write("\r\u001B[K");
  };

  return {
    start(opened) {
      input = opened;
      shown = stream.isTTY;
      if (shown) bar.start(Math.max(1, opened.totalBytes), 0, facts());
    },
    update() {
      if (shown) bar.update(Math.min(input?.readBytes() ?? 0, bar.getTotal()), facts());
      else if (performance.now() >= nextLineMs) {
        nextLineMs = performance.now() + LINE_INTERVAL_MS;
        const { megabytes: read, size, done: records } = facts();
        stream.write(`${read} of ${size} MB read, ${records} records done\n`);
      }
    },
    line(text) {
      clear();
      console.log(text);
    },
    problem(text) {
      clear();
      console.error(text);
    },
    stop() {
      if (!shown) return;
      bar.update(Math.min(input?.readBytes() ?? 0, bar.getTotal()), facts());
      bar.stop();
      shown = false;
    },
  };
}
