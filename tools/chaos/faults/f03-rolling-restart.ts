import type { Fault } from "../fault.ts";

/**
 * A node must be ready this long before the next one stops, as in a rollout. Its events return to
 * it in that time and do not move twice.
 */
const READY_FOR_S = 1;

/**
 * Restarts every node, as an update does. Customers notice nothing. A service with one node gets a
 * second one meanwhile.
 */
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
