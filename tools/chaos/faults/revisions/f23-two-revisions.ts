import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceName } from "../../../../config/services.ts";
import type { ClusterNode } from "../../../cluster/node-child.ts";
import { closeTree, EARLIER_REVISION, openTree } from "../../../testing/revision-tree.ts";
import { answersBegun, type Measures } from "../../checks/good-answers.ts";
import { programsOf } from "../../earlier-nodes.ts";
import type { Fault, FaultContext } from "../../fault.ts";

/** Time in which each state must serve. Events move in its first second. */
const SERVES_S = 4;

/** Programs by service. A service without one is not part of the revision: its nodes stop. */
type Programs = Partial<Record<ServiceName, string>>;

/** Restarts nodes by a program each, all at once. */
async function runBy(nodes: readonly ClusterNode[], programs: Programs): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      await node.stop();
      const program = programs[node.service];
      if (program !== undefined) await node.start({}, { program });
    }),
  );
}

/**
 * Moves nodes from one revision to the other and back, under load, group by group. After each step
 * every gateway must serve without a failed request.
 */
export async function thereAndBack(
  { cluster, market, phase, forSeconds, expect }: FaultContext,
  groups: readonly (readonly ClusterNode[])[],
  names: { there: string; back: string },
  programs: { there: Programs; back: Programs },
): Promise<void> {
  for (const way of ["there", "back"] as const)
    for (const [index, nodes] of groups.entries()) {
      const step = `${names[way]}: ${nodes.map(({ name }) => name).join(", ")}`;
      await phase(step, async () => {
        await runBy(nodes, programs[way]);
        const fromMs = performance.now();
        await forSeconds(SERVES_S);
        const { entries } = market.journal;
        for (const { name } of cluster.of("api")) {
          const own = entries.filter(({ via }) => via === name);
          const sold = answersBegun(own, fromMs, Infinity).by.buy.good;
          expect(sold > 0, `${names[way]}, step ${index + 1}: ${name} sold nothing`);
        }
      });
    }
}

/** Each service's nodes with an odd number, and those with an even one. */
export function halvesOf({ nodes }: FaultContext["cluster"]): ClusterNode[][] {
  return [1, 0].map((rest) => nodes.filter(({ name }) => Number(name.split("-")[1]) % 2 === rest));
}

/** A line for each kind of request that failed. */
export function noneFailed({ bad }: Measures): string[] {
  return Object.entries(bad).map(([kind, count]) => `${count} requests failed: ${kind}`);
}

let folder: string | undefined;

/** The earlier revision and this one side by side on this one's schema, back and forth. */
export const fault: Fault = {
  id: "F23",
  title: "two revisions side by side: a rollback and an upgrade under load",
  async prepare(context) {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-earlier-"));
    openTree(EARLIER_REVISION, join(folder, "tree"), context.note);
    const { cluster } = context;
    for (const service of new Set(cluster.nodes.map((node) => node.service)))
      if (cluster.of(service).length === 1) await cluster.add(service);
  },
  async run(context) {
    const earlier = await programsOf(join(folder ?? "", "tree"));
    const current = Object.fromEntries(
      context.cluster.nodes.map(({ service, program }) => [service, program]),
    );
    await thereAndBack(
      context,
      halvesOf(context.cluster),
      { there: "rollback", back: "upgrade" },
      { there: earlier, back: current },
    );
    context.note(`the earlier revision is ${EARLIER_REVISION.slice(0, 10)}`);
  },
  bounds: noneFailed,
  afterwards() {
    if (folder !== undefined) {
      closeTree(join(folder, "tree"));
      rmSync(folder, { recursive: true, force: true });
    }
    return Promise.resolve();
  },
};
