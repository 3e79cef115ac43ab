import type { RedisClient } from "../../../lib/redis/client.ts";
import type { Kernel } from "./kernel.ts";

const COMMAND_TIMEOUT_MS = 500;

/** Simulates Redis: run id, data, snapshot, and clients that lose and regain their connection. */
export class SimulatedRedis {
  data = new Map<string, string>();
  run = 1;
  /** Planted mistake: copies are written without comparing versions. */
  ignoresVersions = false;
  /** Called when an older copy replaces a newer one of the same run. */
  onOlderCopy: (key: string) => void = () => undefined;
  /** Copies that an import has set to expire within a minute. */
  private readonly expiring = new Set<string>();
  private downUntilMs = 0;
  private written = 0;
  private saved = new Map<string, string>();
  private readonly clients = new Set<{ lost: () => void }>();
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get runId(): string {
    return `run-${this.run}`;
  }

  expiresWithinAMinute(key: string): boolean {
    return this.expiring.has(key);
  }

  /** Restarts without data. */
  startEmpty(): void {
    this.saved.clear();
    this.disturb("rollback", 0);
  }

  disturb(what: "down" | "freeze" | "rollback" | "flush", forMs: number): void {
    if (what === "flush") this.data.clear();
    else if (what === "freeze") this.kernel.freeze("redis", forMs);
    else {
      // Killed, and restarted from its last snapshot.
      this.run += 1;
      this.downUntilMs = this.kernel.nowMs + (what === "down" ? forMs : 20);
      this.data = new Map(this.saved);
      for (const client of this.clients) client.lost();
    }
  }

  /** Implements the commands of ioredis in use, with the time-outs of lib/redis/client.ts. */
  client(nodeId: string): RedisClient {
    const { kernel } = this;
    let connection: { run: number; nextMs: number } | undefined;
    const connect = (): void => {
      if (this.downUntilMs > kernel.nowMs) kernel.after(200, nodeId, connect);
      else connection = { run: this.run, nextMs: 0 };
    };
    connect();
    this.clients.add({
      lost: () => {
        connection = undefined;
        kernel.after(kernel.between(20, 300), nodeId, connect);
      },
    });
    const command = <T>(work: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const over = connection;
        if (over === undefined) return reject(new Error("not connected"));
        const timer = kernel.after(COMMAND_TIMEOUT_MS, nodeId, () =>
          reject(new Error("Command timed out")),
        );
        // A connection keeps the order of its commands.
        over.nextMs = Math.max(over.nextMs, kernel.nowMs + kernel.between(0, 3));
        kernel.after(over.nextMs - kernel.nowMs, "redis", () => {
          if (over.run !== this.run) return;
          const result = work();
          kernel.after(kernel.between(0, 3), nodeId, () => {
            timer.cancel();
            resolve(result);
          });
        });
      });
    const client = {
      get status() {
        return connection === undefined ? "reconnecting" : "ready";
      },
      runId: () => (connection === undefined ? undefined : `run-${connection.run}`),
      defineCommand: () => undefined,
      setIfNewer: (count: string | number, ...args: (string | number)[]) =>
        command(() => this.setIfNewer(args.slice(0, Number(count)), args.slice(Number(count)))),
      /** No model reads tickets or lists. */
      addSales: () => command(() => []),
      addCustomerFields: () => command(() => null),
      pipeline: () => new SimulatedPipeline(client),
      mget: (...keys: string[]) => command(() => keys.map((key) => this.data.get(key) ?? null)),
      set: (key: string, text: string) => command(() => this.data.set(key, text)),
      del: (...keys: string[]) => command(() => keys.forEach((key) => this.data.delete(key))),
      pexpire: (key: string) =>
        command(() => (this.data.has(key) ? this.expiring.add(key) : undefined)),
      get: (key: string) => command(() => this.data.get(key) ?? null),
      /** REPLACE_IF_SAME of services/ledger/reconcile/check-availability-cache.ts. */
      eval: (_script: string, _count: number, key: string, old: string, text: string) =>
        command(() => (this.data.get(key) === old ? (this.data.set(key, text), 1) : 0)),
    };
    return client as unknown as RedisClient;
  }

  /** SET_IF_NEWER of lib/availability/availability-cache.ts. */
  private setIfNewer(keys: (string | number)[], args: (string | number)[]): number {
    const [run, epoch, batch, , kept, ...texts] = args as [string, number, number, number, number];
    let written = 0;
    for (const [index, key] of keys.map(String).entries()) {
      const text = String(texts[index]);
      const old = this.data.get(key);
      const copy =
        old === undefined
          ? undefined
          : (JSON.parse(old) as { epoch: number; batch: number; run: string });
      const larger =
        copy !== undefined && (copy.epoch > epoch || (copy.epoch === epoch && copy.batch > batch));
      if (copy?.run === run && index < kept) continue;
      if (larger && copy.run === run) {
        if (!this.ignoresVersions) continue;
        this.onOlderCopy(key);
      }
      this.data.set(key, text);
      this.expiring.delete(key);
      written += 1;
      if (++this.written % 5 === 0) this.saved = new Map(this.data);
    }
    return written;
  }
}

type SimulatedScripts = Record<"setIfNewer" | "addSales" | "addCustomerFields", Script>;
type Script = (...args: (string | number)[]) => Promise<unknown>;

/** Sends scripts one after the other, and collects their results as ioredis does. */
class SimulatedPipeline {
  private readonly sent: Promise<[unknown, unknown]>[] = [];
  private readonly client: SimulatedScripts;

  constructor(client: SimulatedScripts) {
    this.client = client;
  }

  setIfNewer(...args: (string | number)[]): this {
    return this.add(this.client.setIfNewer(...args));
  }

  addSales(...args: (string | number)[]): this {
    return this.add(this.client.addSales(...args));
  }

  addCustomerFields(...args: (string | number)[]): this {
    return this.add(this.client.addCustomerFields(...args));
  }

  exec(): Promise<[unknown, unknown][]> {
    return Promise.all(this.sent);
  }

  private add(result: Promise<unknown>): this {
    this.sent.push(
      result.then(
        (value): [unknown, unknown] => [null, value],
        (error: unknown): [unknown, unknown] => [error, undefined],
      ),
    );
    return this;
  }
}
