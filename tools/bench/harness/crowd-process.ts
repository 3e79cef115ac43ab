import { type Socket, connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { CrowdOptions, CrowdResult, Group, GroupResult } from "./crowd.ts";
import { type AskBytes, browserOf } from "./browsers.ts";
import { Times } from "./histogram.ts";

/**
 * The process behind `sendCrowd`. It writes requests and reads only the head of responses, because
 * node:http would need a core of its own.
 */

const TICK_MS = 4;
/**
 * Share of the warm-up in which connections open one after the other. A new engine has compiled no
 * code yet.
 */
const ARRIVING_SHARE = 0.6;
/** A request without an answer this long after the end counts as unanswered. */
const LATE_MAX_MS = 10_000;
const HEAD_END = Buffer.from("\r\n\r\n");

type Tally = {
  times: Times;
  good: Times;
  statuses: Map<number, number>;
  broken: number;
  bytes: number;
  fromMs: number;
  toMs: number;
};

class Person {
  answers = 0;
  private readonly socket: Socket;
  private readonly group: Group;
  private readonly tally: Tally;
  private place: number;
  /** Due time of the request in flight. Undefined if there is none. */
  private dueMs: number | undefined;
  /** Due times of requests that wait for the one in flight. */
  private waiting: number[] = [];
  private bodyLeft = 0;
  private head: Buffer | undefined;
  private readonly again: boolean;
  private readonly browser: AskBytes;
  private status = 0;

  /** Connects. `lent`: the buffer that all connections read into. */
  constructor(
    group: Group,
    port: number,
    tally: Tally,
    { number, place }: { number: number; place: number },
    lent: Buffer,
  ) {
    this.group = group;
    this.browser = browserOf(number);
    this.tally = tally;
    this.place = place;
    this.again = group.everyMs === 0 && group.curve === undefined;
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: lent,
        callback: (length) => {
          this.read(lent.subarray(0, length));
          return true;
        },
      },
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => (tally.broken += 1));
  }

  due(atMs: number): void {
    if (this.dueMs === undefined) this.send(atMs);
    else if (this.group.patient !== true) this.waiting.push(atMs);
  }

  /** Drops requests of the warm-up that were not sent in it. */
  forgetWaiting(): void {
    this.waiting = [];
  }

  /** Number of counted requests without an answer so far. */
  get owed(): number {
    const counts = (dueMs: number | undefined): boolean =>
      dueMs !== undefined && this.counts(dueMs);
    return this.waiting.filter(counts).length + (counts(this.dueMs) ? 1 : 0);
  }

  private counts(dueMs: number): boolean {
    return dueMs >= this.tally.fromMs && dueMs < this.tally.toMs;
  }

  /** `bytes` is valid only during the call. */
  private read(bytes: Buffer): void {
    this.tally.bytes += bytes.length;
    let rest = bytes;
    while (rest.length > 0) {
      if (this.bodyLeft > 0) {
        const taken = Math.min(this.bodyLeft, rest.length);
        this.bodyLeft -= taken;
        rest = rest.subarray(taken);
        if (this.bodyLeft === 0) this.answered();
        continue;
      }
      const text = this.head === undefined ? rest : Buffer.concat([this.head, rest]);
      const end = text.indexOf(HEAD_END);
      if (end === -1) {
        this.head = Buffer.from(text);
        return;
      }
      this.head = undefined;
      this.readHead(text.toString("latin1", 0, end));
      rest = text.subarray(end + HEAD_END.length);
      if (this.bodyLeft === 0) this.answered();
    }
  }

  private readHead(head: string): void {
    this.status = Number(head.slice(9, 12));
    const at = head.indexOf("\r\nContent-Length: ");
    this.bodyLeft = at === -1 ? 0 : Number.parseInt(head.slice(at + 18, at + 28), 10);
  }

  private answered(): void {
    const nowMs = performance.now();
    const dueMs = this.dueMs ?? nowMs;
    this.dueMs = undefined;
    if (this.counts(dueMs)) {
      this.answers += 1;
      this.tally.times.add(nowMs - dueMs);
      if (this.status < 300) this.tally.good.add(nowMs - dueMs);
      this.tally.statuses.set(this.status, (this.tally.statuses.get(this.status) ?? 0) + 1);
    }
    const next = this.again ? nowMs : this.waiting.shift();
    if (next !== undefined && next < this.tally.toMs) this.send(next);
  }

  private send(dueMs: number): void {
    this.dueMs = dueMs;
    const { asks, order } = this.group;
    const index = order === undefined ? this.place : (order[this.place % order.length] ?? 0);
    this.place += 1;
    const ask = asks[index % asks.length];
    if (ask !== undefined) this.socket.write(this.browser(ask), "latin1");
  }
}

/** A group that is sending: people connect, then send at their own times. */
class Asking {
  readonly tally: Tally = {
    times: new Times(),
    good: new Times(),
    statuses: new Map(),
    broken: 0,
    bytes: 0,
    fromMs: Infinity,
    toMs: Infinity,
  };
  readonly people: Person[] = [];
  private readonly group: Group;
  private readonly port: number;
  private readonly lent: Buffer;
  /** People of the groups before this one. */
  private readonly before: number;
  private sent = 0;
  /** Of a group with a curve: due times after the warm-up. */
  private readonly dues: readonly number[];

  constructor(group: Group, port: number, lent: Buffer, before: number) {
    this.group = group;
    this.dues = duesOf(group.curve ?? []);
    this.port = port;
    this.lent = lent;
    this.before = before;
  }

  /** `come`: the share of people who have connected. */
  tick(startMs: number, nowMs: number, come: number): void {
    const { everyMs, people: all } = this.group;
    const there = all * come;
    if (this.group.curve !== undefined) {
      for (let number = this.people.length; number < there; number += 1) this.person(number);
      const { dues, tally } = this;
      for (; tally.fromMs + (dues[this.sent] ?? Infinity) <= nowMs; this.sent += 1)
        this.person(this.sent % all).due(tally.fromMs + (dues[this.sent] ?? 0));
      return;
    }
    if (everyMs === 0) {
      for (; this.sent < there; this.sent += 1) this.person(this.sent).due(nowMs);
      return;
    }
    // Each request of the group has its own due time and belongs to people in turn.
    const stepMs = everyMs / all;
    for (; startMs + this.sent * stepMs <= nowMs; this.sent += 1) {
      const number = this.sent % all;
      if (number < there) this.person(number).due(startMs + this.sent * stepMs);
    }
  }

  private person(number: number): Person {
    const { order, people } = this.group;
    // People of a group start at distant places of the list, so that their requests differ.
    const place = order === undefined ? number : Math.floor((number * order.length) / people);
    return (this.people[number] ??= new Person(
      this.group,
      this.port,
      this.tally,
      { number: this.before + number, place },
      this.lent,
    ));
  }

  result(): GroupResult {
    const { tally, people, group } = this;
    return {
      name: group.name,
      times: tally.times.summary(),
      good: tally.good.summary(),
      statuses: Object.fromEntries(tally.statuses),
      broken: tally.broken,
      unanswered: people.reduce((sum, { owed }) => sum + owed, 0),
      fewest: Math.min(...people.map(({ answers }) => answers)),
      bytes: tally.bytes,
    };
  }
}

/** Spreads each second's requests evenly over it. */
function duesOf(curve: readonly number[]): number[] {
  return curve.flatMap((count, second) =>
    Array.from({ length: count }, (_, number) => 1_000 * (second + number / count)),
  );
}

async function run({ url, groups, warmUpSeconds, seconds }: CrowdOptions): Promise<CrowdResult> {
  const lent = Buffer.alloc(1 << 16);
  const port = Number(new URL(url).port);
  let before = 0;
  const crowd = groups.map((group) => {
    const asking = new Asking(group, port, lent, before);
    before += group.people;
    return asking;
  });
  const startMs = performance.now();
  const tick = setInterval(() => {
    const nowMs = performance.now();
    const come = Math.min(1, (nowMs - startMs) / (ARRIVING_SHARE * warmUpSeconds * 1_000));
    for (const asking of crowd) asking.tick(startMs, nowMs, come);
  }, TICK_MS);
  await wait(warmUpSeconds * 1_000);
  process.send?.("measuring");
  const [fromMs, cpuBefore] = [performance.now(), process.cpuUsage()];
  const toMs = fromMs + seconds * 1_000;
  for (const { tally, people } of crowd) {
    [tally.fromMs, tally.toMs, tally.bytes] = [fromMs, toMs, 0];
    for (const person of people) person.forgetWaiting();
  }
  await wait(seconds * 1_000);
  clearInterval(tick);
  const { user, system } = process.cpuUsage(cpuBefore);
  // A request that was due in time and is answered late counts with its delay.
  while (
    performance.now() < toMs + LATE_MAX_MS &&
    crowd.some(({ people }) => people.some(({ owed }) => owed > 0))
  )
    await wait(50);
  return {
    seconds,
    cpuMs: (user + system) / 1_000,
    groups: crowd.map((asking) => asking.result()),
  };
}

process.once("message", (options: CrowdOptions) => {
  run(options).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ problem: String(error) }),
  );
});
process.once("disconnect", () => process.exit());
