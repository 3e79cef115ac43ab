import { CLUSTER_CASES } from "./cases/cluster.ts";
import { ENGINE_CASES } from "./cases/engine.ts";
import { SERVER_CASES } from "./cases/servers.ts";
import { SERVICE_LEVEL_CASES } from "./cases/service-levels.ts";
import type { AlertCase } from "./rules.ts";

/** A case or more for each alert: a test compares the lists. */
export const ALERT_CASES: readonly AlertCase[] = [
  ...CLUSTER_CASES,
  // Fires always, so it has no quiet case.
  { alert: "DeadMansSwitch", atMinutes: 1, series: { up: "1x5" } },
  ...ENGINE_CASES,
  ...SERVER_CASES,
  ...SERVICE_LEVEL_CASES,
];
