import { secondsToFirstSale } from "../checks/good-answers.ts";
import type { Fault, FaultContext } from "../fault.ts";
import type { TcpProxy } from "../network/tcp-proxy.ts";

const ELSEWHERE_WITHIN_S = 5;
let answers: TcpProxy | undefined;

async function ticketsOf({ world, hot }: FaultContext): Promise<number> {
  const text = "SELECT count(*)::integer AS tickets FROM event_tickets WHERE event_id = $1";
  return (
    (await world.database.query<{ tickets: number }>({ text, values: [hot] }))[0]?.tickets ?? 0
  );
}

/** Kills the hot event's node after a commit and before its answer. */
export const fault: Fault = {
  id: "F2",
  title: "kill -9 the hot event's node between commit and answer",
  async prepare(context) {
    answers = await context.proxyTo("postgres");
    await context.restartWith(context.namedOwnerOf(context.hot), { DATABASE_URL: answers.url });
  },
  async run(context) {
    const { cluster, hot, phase, until, forSeconds, market, expect, note } = context;
    const owner = cluster.node(await context.ownerOf(hot));
    let killedMs = 0;
    await phase(`${owner.name} is killed after a commit whose answer is held back`, async () => {
      const before = await ticketsOf(context);
      answers?.holdFrom("worker-commit", "answers");
      await until(
        "a commit without its answer",
        async () => answers?.holds() === true && (await ticketsOf(context)) > before,
        5,
      );
      owner.kill("SIGKILL");
      await owner.ended();
      killedMs = performance.now();
    });
    context.mark();
    await phase("the other node takes over", () =>
      until(
        "sales go on",
        () => secondsToFirstSale(market.journal.entries, hot, killedMs) !== undefined,
        20,
      ),
    );
    await forSeconds(2);
    await phase("it comes back", () => owner.start());
    await forSeconds(1);
    const seconds =
      secondsToFirstSale(market.journal.entries, hot, killedMs) ?? Number.POSITIVE_INFINITY;
    expect(
      seconds <= ELSEWHERE_WITHIN_S,
      `sales resumed after ${seconds.toFixed(1)} s instead of ${ELSEWHERE_WITHIN_S}`,
    );
    note(`sales resumed after ${seconds.toFixed(1)} s`);
  },
};
