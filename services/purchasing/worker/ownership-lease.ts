import type { Entry, Mailbox } from "./mailbox.ts";
import type { HeldLease, WorkerPorts } from "./ports.ts";

/**
 * Limits the wait for a lease that is not released. Short enough that callers of a moving event do
 * not time out.
 */
const WAIT_MS = 750;
const PING_MS = 300;

/**
 * The worker's lease: decides which worker waits, which continues without the lease, and which may
 * not serve. Gives order only; the epoch proves ownership.
 */
export class OwnerLease {
  private readonly eventId: string;
  private readonly ports: Pick<WorkerPorts, "lease" | "router" | "note">;
  private readonly mailbox: Mailbox;
  private readonly giveUp: (entries: readonly Entry[]) => void;
  private lease: HeldLease | undefined;
  private releasing: Promise<unknown> = Promise.resolve();
  /** Ends the wait that is under way. */
  hurry: () => void = () => undefined;

  constructor(
    eventId: string,
    ports: Pick<WorkerPorts, "lease" | "router" | "note">,
    mailbox: Mailbox,
    giveUp: (entries: readonly Entry[]) => void,
  ) {
    this.eventId = eventId;
    this.ports = ports;
    this.mailbox = mailbox;
    this.giveUp = giveUp;
  }

  get held(): boolean {
    return this.lease?.held() === true;
  }

  /** Before the epoch is taken. False: it is not ours to take. */
  async take(): Promise<boolean> {
    if (!this.ports.router.isOwner(this.eventId)) return this.mayStandIn();
    if (this.lease !== undefined) return true;
    const hurried = new Promise<void>((resolve) => (this.hurry = resolve));
    // The worker that passed a command on has given the event up.
    this.lease = await this.ports.lease.acquire(
      this.eventId,
      this.mailbox.hasForwarded ? 0 : WAIT_MS,
      hurried,
    );
    if (!this.lease.held()) this.ports.note("degraded", this.eventId);
    // Meanwhile the event may have moved on: then it is not ours to take.
    if (!this.ports.router.isOwner(this.eventId)) return this.mailbox.hasForwarded;
    // Continue after the wait even without callers: the next worker would only wait as long again.
    return this.mailbox.length > 0 || !this.held;
  }

  /** Never rejects. Resolves when nothing is held any more. */
  async giveBack(): Promise<void> {
    const { lease } = this;
    this.lease = undefined;
    if (lease !== undefined) this.releasing = Promise.all([this.releasing, lease.release()]);
    await this.releasing;
  }

  /**
   * Decides whether a worker that is not the owner may serve commands that were sent to it.
   * Commands that the owner's worker forwarded are served at once. Commands whose caller got no
   * answer from the owner are served if the lease is free or the owner does not answer a ping. If
   * the owner is alive they are given up: otherwise two nodes would take the event from each
   * other. A stand-in keeps no lease, so that the owner need not wait for it.
   */
  private async mayStandIn(): Promise<boolean> {
    const { mailbox, eventId, ports } = this;
    const unresponsiveOwner = mailbox.unresponsiveOwner;
    if (mailbox.hasForwarded || unresponsiveOwner === undefined) return mailbox.hasForwarded;
    const lease = await ports.lease.acquire(eventId, 0, Promise.resolve());
    const free = lease.held();
    void lease.release();
    if (free || !(await ports.router.ping(unresponsiveOwner, PING_MS))) return true;
    this.giveUp(mailbox.take(({ insteadOf }) => insteadOf !== undefined));
    return false;
  }
}
