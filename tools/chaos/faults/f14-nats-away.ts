import { answersBegun } from "../checks/good-answers.ts";
import type { Fault } from "../fault.ts";
import type { TcpProxy } from "../network/tcp-proxy.ts";

const AWAY_S = 6;
const CUT_OFF_S = 10;
const ANSWER_WITHIN_MS = 2_000;
const REJOINED_WITHIN_S = 10;
let wayToTheBus: TcpProxy | undefined;

/** NATS dies and returns. Then one node is cut off from NATS while its other servers answer. */
export const fault: Fault = {
  id: "F14",
  title: `NATS killed; a purchasing node cut off from it for ${CUT_OFF_S} s`,
  async prepare({ hot, proxyTo, restartWith, namedOwnerOf }) {
    wayToTheBus = await proxyTo("nats");
    await restartWith(namedOwnerOf(hot), { TRANSPORTER: wayToTheBus.url });
  },
  async run({
    servers,
    hot,
    namedOwnerOf,
    ownerOf,
    market,
    phase,
    forSeconds,
    until,
    mark,
    expect,
    note,
  }) {
    const nats = servers.server("nats");
    const sales = (fromMs: number): number =>
      answersBegun(market.journal.entries, fromMs, Infinity).by.buy.good;
    const awayMs = performance.now();
    await phase("NATS is away", async () => {
      nats.kill("SIGKILL");
      await until("NATS is gone", () => nats.pid === undefined, 5);
      await forSeconds(AWAY_S);
    });
    const { slowestMs } = answersBegun(
      market.journal.entries,
      awayMs,
      performance.now() - ANSWER_WITHIN_MS,
    );
    expect(
      slowestMs <= ANSWER_WITHIN_MS,
      `without the bus an answer took ${Math.round(slowestMs)} ms instead of ${ANSWER_WITHIN_MS}`,
    );
    await phase("NATS is back", async () => {
      await nats.restart();
      const backMs = performance.now();
      await until("sales go on", () => sales(backMs) > 20, REJOINED_WITHIN_S);
      note(
        `sales resumed ${((performance.now() - backMs) / 1_000).toFixed(1)} s after NATS was back`,
      );
      await forSeconds(2);
    });
    mark();
    await phase("the hot event's node is cut off", async () => {
      wayToTheBus?.freeze(true);
      await until(
        "another node sells",
        async () => (await ownerOf(hot)) !== namedOwnerOf(hot),
        CUT_OFF_S,
      );
      await forSeconds(CUT_OFF_S / 2);
    });
    mark();
    await phase("it is back", async () => {
      wayToTheBus?.freeze(false);
      await until(
        "it sells its event again",
        async () => (await ownerOf(hot)) === namedOwnerOf(hot),
        20,
      );
      await forSeconds(2);
    });
  },
};
