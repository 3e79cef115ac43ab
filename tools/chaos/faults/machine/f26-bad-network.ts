import type { ServerName } from "../../../dev-servers/binaries.ts";
import { provideBinaries } from "../../../dev-servers/packages.ts";
import { answersBegun } from "../../checks/good-answers.ts";
import type { Fault, FaultContext } from "../../fault.ts";
import { losePackets, type LostPackets } from "../../network/lost-packets.ts";
import type { TcpProxy } from "../../network/tcp-proxy.ts";

const LOSSES_PERCENT = [1, 5];
const ROUND_TRIP_MS = 200;
const BAD_S = 10;
const SLOW_S = 5;
const CUT_S = 4;
const SERVERS: readonly ServerName[] = ["postgres", "redis", "rabbitmq", "nats"];
/** 2.5 s for a command in flight, and a second for the read before it: a cancellation's ticket. */
const ANSWER_WITHIN_MS = 3_500;
/** TCP repeats a lost packet after pauses that double: up to as long again as the cut. */
const SELLS_WITHIN_S = 15;
/** Of the purchases, while packets are lost. */
const GOOD_PERCENT = 90;
/**
 * Of the purchases, while a server is far away. Each commit then takes longer than the 200 ms above
 * which batches shrink (ADR-0055), so that a hot event's buyers wait longer than 2 s.
 */
const FAR_GOOD_PERCENT = 50;

const proxies = new Map<ServerName, TcpProxy>();
const portOf = (server: ServerName): number => Number(new URL(proxies.get(server)?.url ?? "").port);

/** Runs a phase, and judges the answers that began in it. */
async function bad(
  { market, phase, expect, note }: FaultContext,
  name: string,
  work: () => Promise<void>,
): Promise<number> {
  const fromMs = performance.now();
  await phase(name, work);
  const { by, slowestMs } = answersBegun(market.journal.entries, fromMs, performance.now());
  note(`${name}: ${by.buy.percent.toFixed(0)} %, ${Math.round(slowestMs)} ms`);
  expect(
    slowestMs <= ANSWER_WITHIN_MS,
    `${name}: an answer took ${Math.round(slowestMs)} ms instead of ${ANSWER_WITHIN_MS}`,
  );
  return by.buy.percent;
}

async function whileLost(lost: LostPackets, work: () => Promise<void>): Promise<void> {
  const end = await losePackets(lost);
  try {
    await work();
  } finally {
    await end();
  }
}

/**
 * The network between the nodes and their servers loses packets, is slow, and lets packets pass one
 * way only. Every answer comes in time, and sales go on afterwards.
 */
export const fault: Fault = {
  id: "F26",
  title:
    `bad network: ${LOSSES_PERCENT.join(" % and ")} % loss, ${ROUND_TRIP_MS} ms, one-way cuts to ` +
    "each server",
  async prepare({ cluster, proxyTo }) {
    await provideBinaries(["iptables"], () => undefined);
    for (const server of SERVERS) proxies.set(server, await proxyTo(server));
    const url = (server: ServerName): string => proxies.get(server)?.url ?? "";
    const changed = {
      DATABASE_URL: url("postgres"),
      REDIS_URL: url("redis"),
      AMQP_URL: url("rabbitmq"),
      TRANSPORTER: url("nats"),
    };
    await Promise.all(
      cluster.nodes.map(async (node) => {
        await node.stop();
        await node.start(changed);
      }),
    );
  },
  async run(context) {
    const { market, forSeconds, until, mark, expect, note } = context;
    note("good purchases and the slowest answer of each phase");
    for (const percent of LOSSES_PERCENT) {
      const lost: LostPackets = { ports: SERVERS.map(portOf), way: "both", share: percent / 100 };
      const good = await bad(context, `${percent} % of the packets lost`, () =>
        whileLost(lost, () => forSeconds(BAD_S)),
      );
      expect(good >= GOOD_PERCENT, `${percent} % lost: ${good.toFixed(1)} % good purchases`);
    }
    for (const [server, proxy] of proxies) {
      const name = `${server}: ${ROUND_TRIP_MS} ms there and back`;
      proxy.slow(ROUND_TRIP_MS / 2);
      const good = await bad(context, name, () => forSeconds(SLOW_S));
      proxy.slow(0);
      expect(good >= FAR_GOOD_PERCENT, `${name}: ${good.toFixed(1)} % good purchases`);
      await forSeconds(1);
    }
    for (const server of SERVERS)
      for (const way of ["requests", "answers"] as const) {
        await bad(context, `${server}: ${way} lost`, () =>
          whileLost({ ports: [portOf(server)], way, share: 1 }, () => forSeconds(CUT_S)),
        );
        const healedMs = performance.now();
        await until(
          `sales after ${server}'s ${way} were lost`,
          () => answersBegun(market.journal.entries, healedMs, Infinity).by.buy.good > 20,
          SELLS_WITHIN_S,
        );
      }
    mark();
    await forSeconds(2);
  },
};
