import type { Delivery, Handler } from "../../../lib/queue/index.ts";
import type { TransactionMessage } from "../../../lib/queue/topology.ts";
import type { Kernel } from "./kernel.ts";

/** Smaller than in production, so that histories reach the limits. */
const DELIVERY_LIMIT = 3;
const BATCH_MAX = 3;
const LINGER_MS = 50;

type Message = TransactionMessage & { deliveries: number };
type Held = { message: Message; last: boolean; session: number };
type Trouble = "down" | "lose" | "repeat" | "shuffle";

/**
 * Simulates the quorum queue, its dead letters, and consumers like lib/queue/consumer.ts. Rejected
 * messages and those of a lost session are delivered again and count towards the limit.
 */
export class SimulatedQueue {
  ready: Message[] = [];
  dead: Message[] = [];
  unacknowledged = 0;
  acknowledged: (message: TransactionMessage) => void = () => undefined;
  /** Planted mistake: acknowledges at delivery, before the handler has run. */
  acknowledgesFirst = false;
  private readonly kernel: Kernel;
  private readonly untilMs: Record<Trouble, number> = { down: 0, lose: 0, repeat: 0, shuffle: 0 };
  private readonly consumers: Consumer[] = [];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get up(): boolean {
    return !this.isDisturbed("down");
  }
  get empty(): boolean {
    return this.ready.length + this.unacknowledged === 0;
  }

  disturb(what: Trouble, forMs: number): void {
    this.untilMs[what] = this.kernel.nowMs + forMs;
    if (what !== "down") return;
    for (const consumer of this.consumers) consumer.endSession();
    this.kernel.after(forMs, "rabbitmq", () => this.deliver());
  }
  calm(): void {
    for (const what of ["lose", "repeat", "shuffle"] as const) this.untilMs[what] = 0;
  }

  publish(message: TransactionMessage): void {
    if (!this.up || this.isDisturbed("lose")) return;
    for (let copies = this.isDisturbed("repeat") ? 2 : 1; copies > 0; copies--)
      this.kernel.after(
        this.isDisturbed("shuffle") ? this.kernel.between(0, 3_000) : this.kernel.between(0, 5),
        "rabbitmq",
        () => this.arrive({ ...message, deliveries: 0 }),
      );
  }
  arrive(message: Message): void {
    this.ready.push(message);
    this.deliver();
  }
  /** Replays dead letters as an operator does. */
  replayDead(): void {
    for (const message of this.dead.splice(0)) this.arrive({ ...message, deliveries: 0 });
  }

  consume(nodeId: string, handler: Handler): Consumer {
    const consumer = new Consumer(this.kernel, this, nodeId, handler);
    this.consumers.push(consumer);
    this.deliver();
    return consumer;
  }

  deliver(): void {
    if (!this.up) return;
    const receivers = this.consumers.filter((consumer) => consumer.receives);
    while (this.ready.length > 0 && receivers.length > 0) {
      const message = this.ready.shift();
      if (message !== undefined)
        receivers[this.kernel.between(0, receivers.length - 1)]?.receive(message);
    }
  }
  /** Requeues a message, or moves it to the dead letters. */
  requeue(message: Message): void {
    message.deliveries += 1;
    if (message.deliveries > DELIVERY_LIMIT) this.dead.push(message);
    else this.kernel.after(1, "rabbitmq", () => this.arrive(message));
  }

  private isDisturbed(what: Trouble): boolean {
    return this.untilMs[what] > this.kernel.nowMs;
  }
}

class Consumer {
  private readonly kernel: Kernel;
  private readonly queue: SimulatedQueue;
  private readonly nodeId: string;
  private readonly handler: Handler;
  private readonly stopping = new AbortController();
  private readonly unsettled = new Set<Held>();
  private waiting: Held[] = [];
  private session = 0;
  private wanted = true;
  private pumping = false;

  constructor(kernel: Kernel, queue: SimulatedQueue, nodeId: string, handler: Handler) {
    this.kernel = kernel;
    this.queue = queue;
    this.nodeId = nodeId;
    this.handler = handler;
  }

  get receives(): boolean {
    return this.wanted && !this.kernel.isDead(this.nodeId);
  }

  /** Ends the session: its messages are requeued and its acknowledgements are ignored. */
  endSession(): void {
    this.session += 1;
    this.waiting = [];
    for (const { message } of this.unsettled) this.queue.requeue(message);
    this.queue.unacknowledged -= this.unsettled.size;
    this.unsettled.clear();
  }

  receive(message: Message): void {
    const held = { message, last: message.deliveries >= DELIVERY_LIMIT, session: this.session };
    this.unsettled.add(held);
    this.queue.unacknowledged += 1;
    if (this.queue.acknowledgesFirst) this.settle(held, true);
    this.kernel.after(1, this.nodeId, () => {
      if (held.session !== this.session) return;
      this.waiting.push(held);
      if (this.pumping) return;
      this.pumping = true;
      void this.pump().finally(() => (this.pumping = false));
    });
  }

  private async pump(): Promise<void> {
    while (this.waiting.length > 0) {
      await new Promise<void>((resolve) => this.kernel.after(LINGER_MS, this.nodeId, resolve));
      const batch = this.waiting.splice(0, BATCH_MAX);
      const deliveries = batch.map(({ message, last }): Delivery => ({ message, last }));
      const refused = new Set(await this.handler(deliveries, this.consumerControl));
      deliveries.forEach((delivery, index) => {
        const held = batch[index];
        if (held !== undefined) this.settle(held, !refused.has(delivery));
      });
    }
  }

  private readonly consumerControl = {
    pause: () => void (this.wanted = false),
    resume: () => {
      this.wanted = true;
      this.queue.deliver();
    },
    signal: this.stopping.signal,
  };

  private settle(held: Held, done: boolean): void {
    if (!this.unsettled.delete(held)) return;
    this.queue.unacknowledged -= 1;
    if (done) this.queue.acknowledged(held.message);
    else this.queue.requeue(held.message);
  }
}
