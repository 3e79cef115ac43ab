import type { ServerName } from "../dev-servers/binaries.ts";
import type { Measures } from "./checks/good-answers.ts";
import type { Market } from "./load/customer.ts";
import type { Load } from "./load/clients.ts";
import type { Random } from "../testing/seeded-random.ts";
import type { TcpProxy } from "./network/tcp-proxy.ts";
import type { World } from "./test-bed.ts";

/** What a fault can use. */
export type FaultContext = {
  world: World;
  cluster: World["cluster"];
  servers: World["servers"];
  /** `hot`: the event that gets most purchases. `events`: all of them. New for each fault. */
  hot: string;
  events: readonly string[];
  /** Seeded: the same seed makes the same choices. */
  random: Random;
  market: Market;
  load: Load;
  /** Runs work and notes its start and end. */
  phase: <T>(name: string, work: () => Promise<T> | T) => Promise<T>;
  /** Starts the recovery time here. By default it starts with the first phase. */
  mark: () => void;
  /** Lets the load continue for a while. */
  forSeconds: (seconds: number) => Promise<void>;
  /** Waits for a condition. Rejects after `seconds` with its name. */
  until: (what: string, fact: () => unknown, seconds?: number) => Promise<void>;
  /** Name of the node whose worker has the event's epoch. */
  ownerOf: (event: string) => Promise<string>;
  /**
   * Adds an event that the clients do not buy. It is checked at the end like the others. Returns
   * its id.
   */
  putOnSale: (capacity: number, startsInMs?: number) => Promise<string>;
  /** The purchasing node that rendezvous hashing names for an event while all nodes are up. */
  namedOwnerOf: (event: string) => string;
  /** Opens a proxy to a server. It is closed after the fault. */
  proxyTo: (server: ServerName) => Promise<TcpProxy>;
  /** Restarts a node with a changed environment, which is undone after the fault. */
  restartWith: (node: string, changed: Record<string, string>) => Promise<void>;
  /** A condition of this fault besides the invariants. False is noted as missed. */
  expect: (holds: boolean, what: string) => void;
  /** Adds a note to the row of the table. */
  note: (text: string) => void;
};

/** Each file in faults/ exports one as `fault`. */
export type Fault = {
  id: `F${number}`;
  title: string;
  /** Runs in a world of its own, whose PostgreSQL has a synchronous standby (`world.pair`). */
  standby?: true;
  /** Places of the hot event. Large by default, so that it does not sell out. */
  hotCapacity?: number;
  /** Runs before the clients start. */
  prepare?(context: FaultContext): Promise<void>;
  /** Runs while clients buy. Cluster and servers are healed afterwards. */
  run(context: FaultContext): Promise<void>;
  /** Runs after all checks and undoes what healing cannot. */
  afterwards?(context: FaultContext): Promise<void>;
  /** Compares measures with the fault's bounds. Returns a line for each missed bound. */
  bounds?(measures: Measures): string[];
};
