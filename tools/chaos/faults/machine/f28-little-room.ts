import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type MemoryGroup, memoryGroup } from "../../../process/memory-limit.ts";
import { answersBegun } from "../../checks/good-answers.ts";
import type { Fault, FaultContext } from "../../fault.ts";
import { flood } from "../../load/clients.ts";

const DESCRIPTORS = 256;
/** Half of the smallest limit of the pods. */
const MEMORY_MB = 256;
const CROWD = 400;
/** A hundred new connections a second. */
const CROWD_EVERY_MS = 10;
const ANSWER_WITHIN_MS = 5_000;
const REQUEST = "GET /api/events?limit=1 HTTP/1.1\r\nHost: crowd.example\r\n\r\n";
const CLIENTS = 240;
const OVERLOAD_S = 15;
/** Of the refused connections: the others are closed without an answer. */
const REFUSED_CLEARLY = 0.9;

let groups: { name: string; group: MemoryGroup }[] = [];

type Outcome = "served" | "refused" | "closed" | "silent";

/** Sends one request on a connection that stays open. */
function join(url: URL, open: Set<Socket>): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.write(REQUEST));
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => resolve("closed"));
    socket.once("data", (bytes) => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(bytes.toString("latin1"))?.[1];
      resolve(status === "200" ? "served" : status === "503" ? "refused" : "closed");
    });
    setTimeout(() => resolve("silent"), ANSWER_WITHIN_MS).unref();
  });
}

/** More connections than the gateway has descriptors. */
async function crowd({ cluster, expect, note, forSeconds }: FaultContext): Promise<void> {
  const url = new URL(cluster.node("api-1").url ?? "");
  const open = new Set<Socket>();
  try {
    const joining: Promise<Outcome>[] = [];
    for (let number = 0; number < CROWD; number += 1) {
      joining.push(join(url, open));
      await delay(CROWD_EVERY_MS);
    }
    const outcomes = await Promise.all(joining);
    const count = (wanted: Outcome): number => outcomes.filter((one) => one === wanted).length;
    note(
      `of ${CROWD} connections ${count("served")} served, ${count("refused")} refused by a 503, ` +
        `${count("closed")} closed, ${count("silent")} without an answer`,
    );
    expect(count("served") >= 50, "fewer than 50 connections were served");
    expect(count("silent") === 0, "connections stayed without an answer");
    expect(
      count("refused") >= REFUSED_CLEARLY * (CROWD - count("served")) && count("refused") > 0,
      "connections were closed without a 503",
    );
  } finally {
    for (const socket of open) socket.destroy();
  }
  await forSeconds(1);
  const again = new Set<Socket>();
  expect((await join(url, again)) === "served", "a connection after the crowd was not served");
  for (const socket of again) socket.destroy();
}

/** Every node has few descriptors and little memory. It refuses what is too much, and lives. */
export const fault: Fault = {
  id: "F28",
  title: `few descriptors (${DESCRIPTORS}) and little memory (${MEMORY_MB} MB) for each node`,
  hotCapacity: 20_000,
  async prepare({ cluster }) {
    groups = cluster.nodes.map(({ name }) => ({ name, group: memoryGroup(MEMORY_MB * 2 ** 20) }));
    await Promise.all(
      cluster.nodes.map(async (node) => {
        const { group } = groups.find(({ name }) => name === node.name) ?? {};
        const limited = `ulimit -n ${DESCRIPTORS} && echo $$ > "$0" && exec "$@"`;
        await node.stop();
        await node.start({}, { wrapper: ["sh", "-c", limited, group?.entrance ?? ""] });
      }),
    );
  },
  async run(context) {
    const { cluster, market, phase, forSeconds, mark, expect, note } = context;
    const fromMs = performance.now();
    const pids = new Map(cluster.nodes.map(({ name, pid }) => [name, pid]));
    await phase(`${CROWD} connections to one gateway`, () => crowd(context));
    await phase(`${CLIENTS} clients without think time`, () =>
      flood(context, CLIENTS, () => forSeconds(OVERLOAD_S)),
    );
    mark();
    await phase("the usual again", () => forSeconds(4));
    const { bad } = answersBegun(market.journal.entries, fromMs, performance.now());
    const unclear = Object.keys(bad).filter(
      (kind) => !/ 503 (?:TRY_AGAIN|OUTCOME_UNKNOWN)$/.test(kind),
    );
    expect(unclear.length === 0, `these were no clear refusals: ${unclear.join(", ")}`);
    for (const { name, pid } of cluster.nodes)
      expect(pid === pids.get(name), `${name} ended and was started again`);
    for (const { name, group } of groups)
      expect(group.killed() === 0, `the kernel killed ${name} for want of memory`);
    const peak = Math.max(...groups.map(({ group }) => group.peakBytes()));
    note(`the largest node used ${Math.round(peak / 2 ** 20)} MB at most`);
  },
  afterwards() {
    for (const { group } of groups.splice(0)) group.remove();
    return Promise.resolve();
  },
};
