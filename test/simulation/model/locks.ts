import type { HeldLease } from "../../../services/purchasing/worker/ports.ts";
import type { Kernel } from "./kernel.ts";

const SERVERS = 3;
const LEASE_MS = 3_000;
const RETRY_MS = 50;

type Held = Map<string, { token: number; untilMs: number }>;

/** A lock server, with the snapshot it would restart from. */
class LockServer {
  held: Held = new Map();
  downUntilMs = 0;
  private saved: Held = new Map();
  private writes = 0;

  set(resource: string, token: number, untilMs: number): void {
    this.held.set(resource, { token, untilMs });
    if (++this.writes % 4 === 0) this.saved = new Map(this.held);
  }
  rollBack(): void {
    this.held = new Map(this.saved);
  }
}

/** The lease as lib/redis/redlock-lease.ts gives it, over three lock servers of which two must agree; each can be away, forget, or fall back to a snapshot. */
export class SimulatedLocks {
  readonly servers: readonly LockServer[] = Array.from({ length: SERVERS }, () => new LockServer());
  private readonly kernel: Kernel;
  private tokens = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  disturb(index: number, what: "down" | "forget" | "rollback", forMs: number): void {
    const server = this.servers[index % SERVERS];
    if (server === undefined) return;
    if (what === "down") server.downUntilMs = this.kernel.nowMs + forMs;
    else if (what === "forget") server.held.clear();
    else server.rollBack();
  }

  /** Waits up to `waitMs`, less where `cutShort` resolves or no quorum answers; what it resolves with is tried for in the background, and renewed. */
  acquire(
    nodeId: string,
    resource: string,
    waitMs: number,
    cutShort: Promise<void>,
  ): Promise<HeldLease> {
    const deadlineMs = this.kernel.nowMs + waitMs;
    let hurried = false;
    void cutShort.then(() => (hurried = true));
    return new Promise((resolve) => {
      const attempt = (): void => {
        const token = ++this.tokens;
        const untilMs = this.take(resource, token);
        const enough = this.up.length > SERVERS / 2;
        if (untilMs > 0 || hurried || this.kernel.nowMs >= deadlineMs || !enough)
          resolve(this.hold(nodeId, resource, token, untilMs));
        else this.kernel.after(RETRY_MS, nodeId, attempt);
      };
      this.kernel.after(2, nodeId, attempt);
    });
  }

  private get up(): LockServer[] {
    return this.servers.filter(({ downUntilMs }) => downUntilMs <= this.kernel.nowMs);
  }

  /** Takes or renews; answers until when it is held, 0 where too few agree. */
  private take(resource: string, token: number): number {
    const now = this.kernel.nowMs;
    const untilMs = now + LEASE_MS;
    const agreed = this.up.filter(({ held }) => {
      const other = held.get(resource);
      return other === undefined || other.token === token || other.untilMs <= now;
    });
    for (const server of agreed) server.set(resource, token, untilMs);
    if (agreed.length > SERVERS / 2) return untilMs;
    this.give(resource, token);
    return 0;
  }
  private give(resource: string, token: number): void {
    for (const { held } of this.up) if (held.get(resource)?.token === token) held.delete(resource);
  }

  private hold(nodeId: string, resource: string, token: number, firstUntilMs: number): HeldLease {
    let untilMs = firstUntilMs;
    let released = false;
    const renew = (): void => {
      if (released) return;
      untilMs = this.take(resource, token);
      this.kernel.after(LEASE_MS / 3, nodeId, renew);
    };
    this.kernel.after(LEASE_MS / 3, nodeId, renew);
    return {
      held: () => !released && untilMs > this.kernel.nowMs,
      release: async () => {
        released = true;
        this.give(resource, token);
      },
    };
  }
}
