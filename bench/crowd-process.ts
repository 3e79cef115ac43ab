import { type Socket, connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { CrowdOptions, CrowdResult, Group, GroupResult } from "./crowd.ts";
import { Times } from "./histogram.ts";

/** The process behind `sendCrowd`. node:http would need a core for itself; here a request is a write, and an answer what its head says. */

const CONNECTING_AT_ONCE = 500;
const TICK_MS = 4;
/** People come one after the other in so much of the warm-up: an engine that has just been started has compiled nothing yet. */
const ARRIVING_SHARE = 0.75;
const HEAD_END = Buffer.from("\r\n\r\n");

type Tally = { times: Times; statuses: Map<number, number>; broken: number; bytes: number; counting: boolean };

class Person {
  answers = 0;
  private readonly socket: Socket;
  private readonly group: Group;
  private readonly tally: Tally;
  private place: number;
  /** When the request under way was due; undefined while none is. */
  private dueMs: number | undefined;
  /** Those that came due meanwhile. */
  private readonly waiting: number[] = [];
  private bodyLeft = 0;
  private head: Buffer | undefined;
  private readonly again: boolean;

  constructor(socket: Socket, group: Group, tally: Tally, place: number) {
    this.socket = socket;
    this.group = group;
    this.tally = tally;
    this.place = place;
    this.again = group.everyMs === 0;
  }

  due(atMs: number): void {
    if (this.dueMs === undefined) this.send(atMs);
    else this.waiting.push(atMs);
  }

  /** `bytes` is only lent. */
  read(bytes: Buffer): void {
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

  private status = 0;

  private readHead(head: string): void {
    this.status = Number(head.slice(9, 12));
    const at = head.indexOf("\r\nContent-Length: ");
    this.bodyLeft = at === -1 ? 0 : Number.parseInt(head.slice(at + 18, at + 28), 10);
  }

  private answered(): void {
    const nowMs = performance.now();
    const dueMs = this.dueMs ?? nowMs;
    this.dueMs = undefined;
    if (this.tally.counting) {
      this.answers += 1;
      this.tally.times.add(nowMs - dueMs);
      this.tally.statuses.set(this.status, (this.tally.statuses.get(this.status) ?? 0) + 1);
    }
    const next = this.again ? nowMs : this.waiting.shift();
    if (next !== undefined) this.send(next);
  }

  private send(dueMs: number): void {
    this.dueMs = dueMs;
    const { requests, order } = this.group;
    const index = order === undefined ? this.place : (order[this.place % order.length] ?? 0);
    this.place += 1;
    this.socket.write(requests[index % requests.length] ?? "", "latin1");
  }
}

async function arrive(group: Group, port: number, tally: Tally, lent: Buffer): Promise<Person[]> {
  const people: Person[] = [];
  const opened: Promise<void>[] = [];
  for (let number = 0; number < group.people; number += 1) {
    const socket: Socket = connect({
      ...{ port, host: "127.0.0.1", noDelay: true },
      onread: {
        buffer: lent,
        callback: (length) => {
          person.read(lent.subarray(0, length));
          return true;
        },
      },
    });
    // People of one group start at places far from each other, so that they do not all ask the same.
    const person: Person = new Person(
      socket,
      group,
      tally,
      group.order === undefined ? number : Math.floor((number * group.order.length) / group.people),
    );
    people.push(person);
    opened.push(new Promise((resolve) => socket.once("connect", () => resolve())));
    socket.on("error", () => undefined);
    socket.on("close", () => (tally.broken += 1));
    if (opened.length % CONNECTING_AT_ONCE === 0) await Promise.all(opened);
  }
  await Promise.all(opened);
  return people;
}

async function run({ url, groups, warmUpSeconds, seconds }: CrowdOptions): Promise<CrowdResult> {
  const lent = Buffer.alloc(1 << 16);
  const port = Number(new URL(url).port);
  const crowd: { group: Group; tally: Tally; people: Person[] }[] = [];
  for (const group of groups) {
    const tally: Tally = { times: new Times(), statuses: new Map(), broken: 0, bytes: 0, counting: false };
    crowd.push({ group, tally, people: await arrive(group, port, tally, lent) });
  }
  const startMs = performance.now();
  const tickers = crowd.map(({ group, people }) => ({ group, people, sent: 0 }));
  const tick = setInterval(() => {
    const nowMs = performance.now();
    const come = Math.min(1, (nowMs - startMs) / (ARRIVING_SHARE * warmUpSeconds * 1_000));
    for (const ticker of tickers) {
      const { group, people } = ticker;
      const there = people.length * come;
      if (group.everyMs === 0) {
        for (; ticker.sent < there; ticker.sent += 1) people[ticker.sent]?.due(nowMs);
        continue;
      }
      // The nth request of all is due at its own moment; it is the nth person's, going round.
      const stepMs = group.everyMs / people.length;
      for (; startMs + ticker.sent * stepMs <= nowMs; ticker.sent += 1) {
        const person = ticker.sent % people.length;
        if (person < there) people[person]?.due(startMs + ticker.sent * stepMs);
      }
    }
  }, TICK_MS);
  await wait(warmUpSeconds * 1_000);
  process.send?.("measuring");
  const [measuredFromMs, cpuBefore] = [performance.now(), process.cpuUsage()];
  for (const { tally } of crowd) [tally.counting, tally.bytes] = [true, 0];
  await wait(seconds * 1_000);
  for (const { tally } of crowd) tally.counting = false;
  clearInterval(tick);
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    seconds: (performance.now() - measuredFromMs) / 1_000,
    cpuMs: (user + system) / 1_000,
    groups: crowd.map(({ group, tally, people }): GroupResult => ({
      name: group.name,
      times: tally.times.summary(),
      statuses: Object.fromEntries(tally.statuses),
      broken: tally.broken,
      fewest: Math.min(...people.map(({ answers }) => answers)),
      bytes: tally.bytes,
    })),
  };
}

process.once("message", (options: CrowdOptions) => {
  run(options).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ problem: String(error) }),
  );
});
