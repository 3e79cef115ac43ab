import { join } from "node:path";
import type { Environment, ServerUrls } from "../../config/index.ts";
import { SERVICE_NAMES, type ServiceName } from "../../config/services.ts";
import { freePort } from "../dev-servers/ports.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { ROOT } from "../root.ts";
import type { NodeOutput } from "./cluster-output.ts";
import { type ClusterNode, clusterNode } from "./node-child.ts";
import type { NodeCounts } from "./node-counts.ts";

export type ClusterOptions = {
  urls: ServerUrls;
  counts: NodeCounts;
  /** Every node's environment, PATH and DATA_DIR included; names, services and ports are added. */
  environment: Environment;
  /** The first gateway's port; the others have those that follow. Free ones by default. */
  port?: number;
  /** Puts all gateways on `port`. */
  onePort?: boolean;
  /** Other copies of cli/program.ts by service: tests plant mistakes in them. */
  program?: Partial<Record<ServiceName, string>>;
  output: NodeOutput;
  /** Progress of the start. */
  report?: Report;
};

export type Cluster = {
  /** In the order of the services, then by number: api-1, api-2, auth-1 … */
  readonly nodes: readonly ClusterNode[];
  /** Throws for an unknown name. */
  node(name: string): ClusterNode;
  /** The nodes that run a service. */
  of(service: ServiceName): ClusterNode[];
  /** Adds a ready node of a service; heal() removes it. */
  add(service: ServiceName): Promise<ClusterNode>;
  /** Restarts ended nodes and those that are `changed`, continues frozen ones. */
  heal(): Promise<void>;
  /** Stops all nodes, gateways first; kills those that do not end in time. */
  stop(): Promise<void>;
};

/** What runs a node, in this tree or that of another revision. */
export const programOf = (root: string): string => join(root, "cli", "program.ts");

/**
 * Starts an engine of many processes, one service each, on running servers and a migrated database.
 * Node ids are stable (purchasing-1, …), so that an event has the same owner after a restart. The
 * processes end with this one, however it ends. Where one does not become ready, stops all of them
 * and rejects.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const nodes: ClusterNode[] = [];
  const extra: ClusterNode[] = [];
  for (const service of SERVICE_NAMES)
    for (let number = 1; number <= options.counts[service]; number += 1)
      nodes.push(await newNode(options, service, number));
  const stop = async (): Promise<void> => {
    // Gateways first: the services must still answer their calls in flight.
    for (const isGateway of [true, false])
      await Promise.all(
        nodes.filter(({ service }) => (service === "api") === isGateway).map((node) => node.stop()),
      );
  };
  options.report?.(`starting ${nodes.length} nodes`);
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    node(name) {
      const found = nodes.find((node) => node.name === name);
      if (found !== undefined) return found;
      const names = nodes.map((node) => node.name).join(", ");
      throw new Error(`The cluster has no node ${name}; it has ${names}`);
    },
    of: (service) => nodes.filter((node) => node.service === service),
    async add(service) {
      const numbers = nodes
        .filter((node) => node.service === service)
        .map(({ name }) => Number(name.split("-")[1]));
      const node = await newNode(options, service, Math.max(0, ...numbers) + 1);
      nodes.push(node);
      extra.push(node);
      await node.start();
      return node;
    },
    async heal() {
      for (const node of extra.splice(0)) {
        nodes.splice(nodes.indexOf(node), 1);
        await node.stop();
      }
      for (const node of nodes) node.thaw();
      await Promise.all(nodes.filter(({ changed }) => !changed).map((node) => node.start()));
      // One after the other, as in a rolling update: customers are still buying.
      for (const node of nodes.filter(({ changed }) => changed)) {
        await node.stop();
        await node.start();
      }
    },
    stop,
  };
}

async function newNode(
  options: ClusterOptions,
  service: ServiceName,
  number: number,
): Promise<ClusterNode> {
  const name = `${service}-${number}`;
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const port =
    service === "api"
      ? options.port === undefined
        ? await freePort()
        : options.port + (options.onePort ? 0 : number - 1)
      : undefined;
  return clusterNode({
    name,
    service,
    healthPort,
    metricsPort,
    port,
    program: options.program?.[service] ?? programOf(ROOT),
    environment: {
      // Keeps the compiled program, which halves the CPU of the next start.
      NODE_COMPILE_CACHE: join(options.environment.DATA_DIR ?? ".data", "compile-cache"),
      ...options.environment,
      ...options.urls,
      NODE_ID: name,
      SERVICES: service,
      HEALTH_PORT: String(healthPort),
      METRICS_PORT: String(metricsPort),
      ...(port === undefined
        ? {}
        : { PORT: String(port), PORT_SHARING: options.onePort ? "on" : "off" }),
    },
    output: (line) => options.output(line, name),
    report: options.report,
  });
}
