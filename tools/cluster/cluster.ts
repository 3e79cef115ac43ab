import { join } from "node:path";
import {
  type Environment,
  SERVICE_NAMES,
  type ServerUrls,
  type ServiceName,
} from "../../config/index.ts";
import { freePort } from "../dev-servers/ports.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { ROOT } from "../testing/static-checks.ts";
import { type ClusterNode, clusterNode } from "./node-child.ts";

export type NodeCounts = Record<ServiceName, number>;

export type ClusterOptions = {
  urls: ServerUrls;
  /** How many nodes run each service. */
  counts: NodeCounts;
  /** What every node gets, whole: PATH and DATA_DIR too. Names, services and ports are added to it. */
  environment: Environment;
  /** The first gateway's port; the others have those that follow. Free ones by default. */
  port?: number;
  /** All gateways on `port`. */
  onePort?: boolean;
  /** Another program for the nodes of some services: tests plant mistakes with it. */
  program?: Partial<Record<ServiceName, string>>;
  /** One line, with the node's name in front. */
  report: Report;
};

export type Cluster = {
  /** In the order of the services, then by number: api-1, api-2, auth-1 … */
  readonly nodes: readonly ClusterNode[];
  /** Throws for a name that is not there. */
  node(name: string): ClusterNode;
  /** The nodes that run a service. */
  of(service: ServiceName): ClusterNode[];
  /** One node more of a service, ready; heal() takes it away again. */
  add(service: ServiceName): Promise<ClusterNode>;
  /** Brings back what ended, thaws what was frozen, and starts again what runs with a changed environment. */
  heal(): Promise<void>;
  /** All at once; those that do not end in order are killed. */
  stop(): Promise<void>;
};

const NODE_PROGRAM = join(ROOT, "cli", "commands", "node.ts");

/**
 * Starts an engine of many processes, one service each, on servers that are there and a database that is migrated. Node ids are stable (purchasing-1,
 * …), so that an event has the same owner after a restart. The processes end with ours, however ours ends. Rejects, with all of them stopped again,
 * where one does not become ready.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const nodes: ClusterNode[] = [];
  const extra: ClusterNode[] = [];
  for (const service of SERVICE_NAMES)
    for (let number = 1; number <= options.counts[service]; number += 1)
      nodes.push(await newNode(options, service, number));
  const stop = async (): Promise<void> => {
    // Gateways first: what they have taken on still finds its services.
    for (const wanted of [true, false])
      await Promise.all(
        nodes.filter(({ service }) => (service === "api") === wanted).map((node) => node.stop()),
      );
  };
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
      if (found === undefined)
        throw new Error(
          `The cluster has no node ${name}; it has ${nodes.map((node) => node.name).join(", ")}`,
        );
      return found;
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
      // One after the other, as whoever changes a setting would: customers are still buying.
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
    program: options.program?.[service] ?? NODE_PROGRAM,
    environment: {
      // Halves what a start costs: the compiled program is kept.
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
    report: (line) => options.report(`${name} | ${line}`),
  });
}
