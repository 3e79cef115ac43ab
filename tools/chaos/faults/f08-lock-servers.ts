import { join } from "node:path";
import { type RunningServers, startServers } from "../../dev-servers/servers.ts";
import type { Fault, FaultContext } from "../fault.ts";

const EACH_S = 6;
let locks: RunningServers[] = [];

/** Number of workers that run without a lease, under their epoch alone. */
async function degradedWorkers({ world, cluster }: FaultContext): Promise<number> {
  const broker = await world.bus();
  const answers = await Promise.all(
    cluster.of("purchasing").map(async ({ name }) => {
      const answer = await broker.call<{ value: { items: { degraded: boolean }[] } }, object>(
        "purchasing.workers",
        {},
        { nodeID: name },
      );
      return answer.value.items;
    }),
  );
  return answers.flat().filter(({ degraded }) => degraded).length;
}

/**
 * Leases need a quorum of three servers. With one server down nothing changes; with two down the
 * epoch alone keeps order.
 */
export const fault: Fault = {
  id: "F8",
  title: "one of three lock servers down, then two",
  async prepare({ servers, cluster, restartWith }) {
    const start = (number: number): Promise<RunningServers> =>
      startServers({
        dataDir: join(servers.folder, `locks-${number}`),
        only: ["redis"],
        report: () => undefined,
        restart: false,
      });
    locks = await Promise.all([1, 2, 3].map(start));
    const urls = locks.map((lock) => lock.urls.REDIS_URL ?? "").join(",");
    for (const { name } of cluster.of("purchasing"))
      await restartWith(name, { REDLOCK_URLS: urls });
  },
  async run(context) {
    const { phase, forSeconds, until, mark } = context;
    const [first, second] = locks.map((lock) => lock.server("redis"));
    try {
      await until("no worker is degraded", async () => (await degradedWorkers(context)) === 0, 10);
      await phase("one is killed", async () => {
        first?.kill("SIGKILL");
        await forSeconds(EACH_S);
        await until(
          "no worker is degraded by one server less",
          async () => (await degradedWorkers(context)) === 0,
          5,
        );
      });
      await phase("two are down", async () => {
        second?.kill("SIGKILL");
        await forSeconds(EACH_S);
        await until(
          "the workers know that they hold no lease",
          async () => (await degradedWorkers(context)) > 0,
          5,
        );
      });
      await phase("they come back, with nothing in them", async () => {
        await Promise.all([first?.restart(), second?.restart()]);
        await until(
          "the workers have their leases again",
          async () => (await degradedWorkers(context)) === 0,
          10,
        );
      });
      mark();
      await forSeconds(2);
    } finally {
      await Promise.all(locks.map((lock) => lock.stop()));
      locks = [];
    }
  },
  bounds: ({ by, slowestMs }) => [
    ...(by.buy.percent >= 99
      ? []
      : [`${by.buy.percent.toFixed(2)} % of the purchases were answered 201 or 409 instead of 99`]),
    ...(slowestMs <= 2_000 ? [] : [`an answer took ${Math.round(slowestMs)} ms instead of 2,000`]),
  ],
};
