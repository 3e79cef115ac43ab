import { join } from "node:path";
import type { ServiceName } from "../../config/services.ts";
import { programOf } from "../cluster/cluster.ts";

/** The program of another revision's nodes, for each service that the revision knows. */
export async function programsOf(tree: string): Promise<Partial<Record<ServiceName, string>>> {
  const { SERVICE_NAMES: known } = (await import(join(tree, "config", "services.ts"))) as {
    SERVICE_NAMES: readonly ServiceName[];
  };
  return Object.fromEntries(known.map((service) => [service, programOf(tree)]));
}
