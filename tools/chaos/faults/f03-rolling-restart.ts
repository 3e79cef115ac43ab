import type { Fault } from "../fault.ts";

/** As a rollout asks at most once a second whether a node is ready: its events come back to it meanwhile, and are not moved twice at once. */
const READY_FOR_S = 1;

/** What an update of the engine does: nobody notices. A service with one node gets a second one while its own is away, as any rollout does. */
export const fault: Fault = {
  id: "F3",
  title: "SIGTERM every node in turn",
  async run({ cluster, phase, forSeconds, expect, note }) {
    const nodes = [...cluster.nodes];
    for (const node of nodes)
      await phase(`${node.name} is restarted`, async () => {
        const alone = cluster.of(node.service).length === 1;
        if (alone) await cluster.add(node.service);
        const how = await node.stop();
        expect(how === "exit code 0", `${node.name} ended with ${how} instead of exit code 0`);
        await node.start();
        await forSeconds(READY_FOR_S);
      });
    note(`${nodes.length} nodes`);
  },
  bounds: ({ bad }) =>
    Object.entries(bad).map(([kind, count]) => `${count} requests failed: ${kind}`),
};
