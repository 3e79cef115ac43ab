import type { Socket } from "node:net";

/** One direction of a proxied connection. What comes in is passed on in order: at once, after a while, or when it is let go. */
export class TcpPipe {
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly waiting: Buffer[] = [];
  private held = false;
  private delayMs = 0;
  private heard: ((chunk: Buffer) => void) | undefined;

  constructor(from: Socket, to: Socket) {
    this.from = from;
    this.to = to;
    from.on("data", (chunk: Buffer) => {
      this.heard?.(chunk);
      this.waiting.push(chunk);
      if (this.held) return;
      if (this.delayMs === 0 && this.waiting.length === 1) this.passOne();
      else setTimeout(() => this.passOne(), this.delayMs);
    });
    to.on("drain", () => from.resume());
  }

  /** While on, what comes in is taken and kept. */
  hold(on: boolean): void {
    this.held = on;
    while (!on && this.waiting.length > 0) this.passOne();
  }

  /** Hears each piece before it is passed on. */
  listen(heard: ((chunk: Buffer) => void) | undefined): void {
    this.heard = heard;
  }

  /** Milliseconds that everything takes from now on. */
  slow(delayMs: number): void {
    this.delayMs = delayMs;
  }

  private passOne(): void {
    // Always the oldest, whichever timer rings first.
    const chunk = this.held ? undefined : this.waiting.shift();
    if (chunk !== undefined && this.to.writable && !this.to.write(chunk)) this.from.pause();
  }
}
