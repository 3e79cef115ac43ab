import type { Fault } from "../fault.ts";

/** Exceeds the lease (3 s) and the heartbeat time-out. */
const FROZEN_S = 6;

/** Freezes the hot event's node. After it thaws, its pending statements must not sell anything. */
export const fault: Fault = {
  id: "F4",
  title: `SIGSTOP the hot event's node for ${FROZEN_S} s`,
  async run({ cluster, world, hot, ownerOf, phase, forSeconds, until, mark, expect, note }) {
    const epochOf = async (): Promise<number> => {
      const text = "SELECT epoch::float8 AS epoch FROM event_worker WHERE event_id = $1";
      return (
        (await world.database.query<{ epoch: number }>({ text, values: [hot] }))[0]?.epoch ?? 0
      );
    };
    const owner = cluster.node(await ownerOf(hot));
    const before = await epochOf();
    await phase(`${owner.name} is frozen`, async () => {
      owner.freeze();
      await forSeconds(FROZEN_S);
    });
    const [heir, after] = [await ownerOf(hot), await epochOf()];
    expect(after > before && heir !== owner.name, "no node took over the frozen worker's event");
    mark();
    await phase("it thaws", async () => {
      owner.thaw();
      // The node is the named owner again, so it takes the event back with a new epoch.
      await until(
        "the event returns to its node",
        async () => (await ownerOf(hot)) === owner.name,
        15,
      );
      await forSeconds(2);
    });
    note(`taken over by ${heir}`);
  },
};
