import type { HeldLease } from "../../../services/purchasing/worker/ports.ts";
import type { Kernel } from "./kernel.ts";

const SERVERS = 3;
const LEASE_MS = 3_000;
const RETRY_MS = 50;

type Held = Map<string, { token: number; untilMs: number }>;

/** A lock server with the snapshot that it restarts from. */
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

/**
 * Simulates the lease of lib/redis/redlock-lease.ts on three lock servers with a quorum of two.
 * Each server can be down, lose its keys, or return to a snapshot.
 */
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

  /**
   * Waits for the lease up to `waitMs`, or until `cutShort` resolves or no quorum is up. Retries
   * and renews in the background afterwards.
   */
  acquire(
    nodeId: string,
    resource: string,
    waitMs: number,
    cutShort: Promise<void>,
  ): Promise<HeldLease> {
    const deadlineMs = this.kernel.nowMs + waitMs;
    let isCutShort = false;
    void cutShort.then(() => (isCutShort = true));
    return new Promise((resolve) => {
      const attempt = (): void => {
        const token = ++this.tokens;
        const untilMs = this.take(resource, token);
        const enough = this.up.length > SERVERS / 2;
        if (untilMs > 0 || isCutShort || this.kernel.nowMs >= deadlineMs || !enough)
          resolve(this.hold(nodeId, resource, token, untilMs));
        else this.kernel.after(RETRY_MS, nodeId, attempt);
      };
      this.kernel.after(2, nodeId, attempt);
    });
  }

  private get up(): LockServer[] {
    return this.servers.filter(({ downUntilMs }) => downUntilMs <= this.kernel.nowMs);
  }

  /** Takes or renews a lease. Returns its end, or 0 without a quorum. */
  private take(resource: string, token: number): number {
    const nowMs = this.kernel.nowMs;
    const untilMs = nowMs + LEASE_MS;
    const agreed = this.up.filter(({ held }) => {
      const other = held.get(resource);
      return other === undefined || other.token === token || other.untilMs <= nowMs;
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
