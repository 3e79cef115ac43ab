import type { ServerResponse } from "node:http";
import { guarded } from "../../../lib/observability/faults.ts";

/** Streams written per turn of the event loop, so that thousands do not delay purchases. */
const WRITES_PER_TURN = 250;
/** A client that reads nothing for this long is dropped. */
const STUCK_MS = 30_000;
const COMMENT = Buffer.from(":\n\n");

/** `open`: streams now. Since the start: `sent` messages, `skipped` messages, `dropped` clients. */
export type StreamCounts = { open: number; sent: number; skipped: number; dropped: number };

export type StreamGroup = {
  /** Writes the newest message now and later ones until the response closes. */
  add(response: ServerResponse): void;
  /** Sends one message to all clients. */
  send(bytes: Buffer): void;
  /** Writes a comment to idle connections, so that proxies keep them open. */
  beat(): void;
  end(): void;
  readonly size: number;
};

type Stream = {
  response: ServerResponse;
  sent: Buffer | undefined;
  busySinceMs: number | undefined;
  onWritten: () => void;
};

/**
 * Groups streams of one event. Each client has at most one message under way: a slow client misses
 * some and then gets the newest, so its memory is bounded. `onEmpty` runs when the last has closed.
 */
export function createStreamGroup(
  counts: StreamCounts,
  onEmpty: () => void,
  now = () => performance.now(),
): StreamGroup {
  const streams = new Set<Stream>();
  let newest: Buffer | undefined;
  let sending = false;

  const write = (stream: Stream, bytes: Buffer): void => {
    if (!isOpen(stream.response)) return;
    stream.busySinceMs = now();
    stream.response.write(bytes, stream.onWritten);
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
  /** Visits all streams, some per turn of the event loop. */
  const forEachStream = async (each: (stream: Stream) => void): Promise<void> => {
    let visited = 0;
    for (const stream of streams) {
      each(stream);
      visited += 1;
      if (visited % WRITES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  /** Repeats until no message is newer than the last pass. */
  const sendNewest = async (): Promise<void> => {
    sending = true;
    try {
      for (let passed: Buffer | undefined; passed !== newest;) {
        passed = newest;
        await forEachStream(offer);
      }
    } finally {
      sending = false;
    }
  };

  return {
    add(response) {
      const stream: Stream = {
        response,
        sent: undefined,
        busySinceMs: undefined,
        onWritten() {
          stream.busySinceMs = undefined;
          if (streams.has(stream)) guarded("stream", () => offer(stream));
        },
      };
      const remove = (): void => {
        if (!streams.delete(stream)) return;
        counts.open -= 1;
        if (streams.size === 0) onEmpty();
      };
      streams.add(stream);
      counts.open += 1;
      response.once("close", remove);
      response.on("error", remove);
      if (isOpen(response)) offer(stream);
      else remove();
    },
    send(bytes) {
      newest = bytes;
      if (!sending) guarded("stream", sendNewest);
    },
    beat() {
      const nowMs = now();
      guarded("stream", () =>
        forEachStream((stream) => {
          if (stream.busySinceMs === undefined) write(stream, COMMENT);
          else if (nowMs - stream.busySinceMs > STUCK_MS) {
            counts.dropped += 1;
            stream.response.destroy();
          }
        }),
      );
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

/** Works for HTTP/2, too: its responses do not report that they are destroyed, their streams do. */
export function isOpen(response: ServerResponse): boolean {
  const { stream } = response as { stream?: { destroyed: boolean } };
  return !response.writableEnded && !response.destroyed && stream?.destroyed !== true;
}

export function newStreamCounts(): StreamCounts {
  return { open: 0, sent: 0, skipped: 0, dropped: 0 };
}
