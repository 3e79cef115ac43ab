import type { Socket } from "node:net";

/**
 * One direction of a proxied connection. Forwards data in order: at once, delayed, or after
 * release.
 */
export class TcpPipe {
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly waiting: Buffer[] = [];
  private held = false;
  private delayMs = 0;
  private observe: ((chunk: Buffer) => void) | undefined;

  constructor(from: Socket, to: Socket) {
    this.from = from;
    this.to = to;
    from.on("data", (chunk: Buffer) => {
      this.observe?.(chunk);
      this.waiting.push(chunk);
      if (this.held) return;
      if (this.delayMs === 0 && this.waiting.length === 1) this.passOne();
      else setTimeout(() => this.passOne(), this.delayMs);
    });
    to.on("drain", () => from.resume());
  }

  /** While on, received data is held back. */
  hold(on: boolean): void {
    this.held = on;
    while (!on && this.waiting.length > 0) this.passOne();
  }

  /** Calls `observe` with each chunk before it is forwarded. */
  listen(observe: ((chunk: Buffer) => void) | undefined): void {
    this.observe = observe;
  }

  /** Sets the delay of every chunk from now on. */
  slow(delayMs: number): void {
    this.delayMs = delayMs;
  }

  private passOne(): void {
    // Always the oldest chunk, whichever timer fires first.
    const chunk = this.held ? undefined : this.waiting.shift();
    if (chunk !== undefined && this.to.writable && !this.to.write(chunk)) this.from.pause();
  }
}
