import { Duplex } from "node:stream";

/** Long enough for an answer of this process. */
export const aMoment = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

/** A connection that keeps chunks as they were sent. */
export class Line extends Duplex {
  answered = "";
  /** Blocks the sender until `takes` is called. */
  stalled = false;
  takes: () => void = () => undefined;
  /** Part of a socket's interface. Does nothing here. */
  setTimeout(): this {
    return this;
  }
  override _read(): void {
    // Nothing to read: chunks are pushed.
  }
  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.answered += bytes.toString("latin1");
    if (this.stalled) this.takes = done;
    else setImmediate(done);
  }
}

/** Splits answers by their Content-Length and returns the bodies. */
export const bodiesOf = (answered: string): string[] => {
  const bodies: string[] = [];
  for (let at = 0; at < answered.length;) {
    const bodyAt = answered.indexOf("\r\n\r\n", at) + 4;
    const length = Number(/Content-Length: (\d+)/.exec(answered.slice(at, bodyAt))?.[1]);
    bodies.push(answered.slice(bodyAt, bodyAt + length));
    at = bodyAt + length;
  }
  return bodies;
};
