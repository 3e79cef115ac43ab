import type { ServerResponse } from "node:http";

/** So many are written to before others get a turn: 5,000 at once would hold up whoever buys meanwhile. */
const AT_ONCE = 250;
/** A client that takes nothing for so long is gone, or as good as gone. */
const STUCK_MS = 30_000;
const COMMENT = Buffer.from(":\n\n");

/** `open`: now. Since the start: `sent` messages, `skipped` for clients that had not taken the last one, `dropped` clients. */
export type StreamCounts = { open: number; sent: number; skipped: number; dropped: number };

export type StreamGroup = {
  /** Writes the newest bytes to it now and whenever there are newer ones, until it closes. Its headers have been written. */
  add(response: ServerResponse): void;
  /** The same bytes for everyone. */
  send(bytes: Buffer): void;
  /** Keeps connections open that nothing was said on. */
  beat(): void;
  end(): void;
  readonly size: number;
};

type Stream = {
  response: ServerResponse;
  sent: Buffer | undefined;
  busySinceMs: number | undefined;
  taken: () => void;
};

/**
 * Streams that are told the same. Each client has one message on its way at most: one that is slow misses what comes meanwhile and then gets the
 * newest, so that nothing piles up for it; one that takes nothing at all is dropped. `emptied` hears when the last has gone.
 */
export function createStreamGroup(
  counts: StreamCounts,
  emptied: () => void,
  now = () => performance.now(),
): StreamGroup {
  const streams = new Set<Stream>();
  let newest: Buffer | undefined;
  let passing = false;

  const write = (stream: Stream, bytes: Buffer): void => {
    if (!isOpen(stream.response)) return;
    stream.busySinceMs = now();
    stream.response.write(bytes, stream.taken);
  };
  const offer = (stream: Stream): void => {
    if (newest === undefined || stream.sent === newest) return;
    if (stream.busySinceMs !== undefined) {
      counts.skipped += 1;
      return;
    }
    stream.sent = newest;
    counts.sent += 1;
    write(stream, newest);
  };
  /** In turns. What has become newer meanwhile goes to the rest of this pass, and to the others in the next. */
  const pass = async (each: (stream: Stream) => void): Promise<void> => {
    let turn = 0;
    for (const stream of streams) {
      each(stream);
      turn += 1;
      if (turn % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const passOn = async (): Promise<void> => {
    passing = true;
    for (let passed: Buffer | undefined; passed !== newest;) {
      passed = newest;
      await pass(offer);
    }
    passing = false;
  };

  return {
    add(response) {
      const stream: Stream = {
        response,
        sent: undefined,
        busySinceMs: undefined,
        taken() {
          stream.busySinceMs = undefined;
          if (streams.has(stream)) offer(stream);
        },
      };
      const gone = (): void => {
        if (!streams.delete(stream)) return;
        counts.open -= 1;
        if (streams.size === 0) emptied();
      };
      streams.add(stream);
      counts.open += 1;
      response.once("close", gone);
      response.on("error", gone);
      if (isOpen(response)) offer(stream);
      else gone();
    },
    send(bytes) {
      newest = bytes;
      if (!passing) void passOn();
    },
    beat() {
      const nowMs = now();
      void pass((stream) => {
        if (stream.busySinceMs === undefined) write(stream, COMMENT);
        else if (nowMs - stream.busySinceMs > STUCK_MS) {
          counts.dropped += 1;
          stream.response.destroy();
        }
      });
    },
    end() {
      for (const { response, busySinceMs } of streams)
        if (busySinceMs === undefined) response.end();
        else response.destroy();
    },
    get size() {
      return streams.size;
    },
  };
}

/** Also of HTTP/2, whose responses do not say themselves that they are destroyed. */
export function isOpen(response: ServerResponse): boolean {
  const { stream } = response as { stream?: { destroyed: boolean } };
  return !response.writableEnded && !response.destroyed && stream?.destroyed !== true;
}

export function newStreamCounts(): StreamCounts {
  return { open: 0, sent: 0, skipped: 0, dropped: 0 };
}
