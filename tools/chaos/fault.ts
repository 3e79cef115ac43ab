import type { ServerName } from "../dev-servers/binaries.ts";
import type { Measures } from "./checks/good-answers.ts";
import type { Market } from "./load/customer.ts";
import type { Load } from "./load/clients.ts";
import type { Random } from "../testing/seeded-random.ts";
import type { TcpProxy } from "./network/tcp-proxy.ts";
import type { World } from "./test-bed.ts";

/** What a fault's file works with. */
export type FaultContext = {
  world: World;
  cluster: World["cluster"];
  servers: World["servers"];
  /** The event most is bought of, and all of them. Fresh for each fault. */
  hot: string;
  events: readonly string[];
  /** Seeded: what chance decides is the same in a repetition. */
  random: Random;
  market: Market;
  load: Load;
  /** Does something and notes when it began and ended. */
  phase: <T>(name: string, work: () => Promise<T> | T) => Promise<T>;
  /** From here the time to recover is counted; by default from the beginning of the first phase. */
  mark: () => void;
  /** Lets the load go on for a while. */
  forSeconds: (seconds: number) => Promise<void>;
  /** Waits for a fact; rejects after `seconds`, naming it. */
  until: (what: string, fact: () => unknown, seconds?: number) => Promise<void>;
  /** The node whose worker has the event's epoch. */
  ownerOf: (event: string) => Promise<string>;
  /** One event more, of which the clients do not buy, checked in the end like the others. Its id. */
  putOnSale: (capacity: number, startsInMs?: number) => Promise<string>;
  /** The purchasing node that rendezvous names for an event while all are there. */
  namedOwnerOf: (event: string) => string;
  /** A way to a server that can be cut. Closed after the fault. */
  proxyTo: (server: ServerName) => Promise<TcpProxy>;
  /** Starts a node again with a changed environment. It gets its own again after the fault. */
  restartWith: (node: string, changed: Record<string, string>) => Promise<void>;
  /** A condition of this fault besides the invariants: false is noted as missed. */
  expect: (holds: boolean, what: string) => void;
  /** A word for the table. */
  note: (text: string) => void;
};

/** One file in faults/ exports one of these as `fault`. */
export type Fault = {
  id: `F${number}`;
  title: string;
  /** Places of the hot event; large by default, so that it does not sell out. */
  hotCapacity?: number;
  /** Before the clients start. */
  prepare?(context: FaultContext): Promise<void>;
  /** While they buy. The cluster and the servers are healed afterwards, whatever this leaves. */
  run(context: FaultContext): Promise<void>;
  /** After all checks: what the cluster's and the servers' healing cannot undo. */
  afterwards?(context: FaultContext): Promise<void>;
  /** What was measured against the fault's own bounds; each line says what was missed. */
  bounds?(measures: Measures): string[];
};
