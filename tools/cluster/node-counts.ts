import type { ServiceName } from "../../config/services.ts";

/** How many nodes run each service. */
export type NodeCounts = Record<ServiceName, number>;

/** Nodes of one service at most. */
export const NODES_MAX = 16;
export const DEFAULT_COUNTS: NodeCounts = {
  api: 2,
  auth: 1,
  catalog: 1,
  purchasing: 2,
  ledger: 2,
  notifier: 1,
};
