import { parseArgs } from "node:util";
import { SERVICE_NAMES } from "../../config/index.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";
import type { NodeCounts } from "./cluster.ts";

export const USAGE = `npm run cluster -- [--api 2] [--purchasing 2] [--ledger 2] [--auth 1] [--catalog 1] [--port 3000] [--one-port]
Starts an engine of separate processes, so many for each service, and prints where each gateway serves. Ctrl-C stops them all.
--one-port: all gateways on the same port, where the kernel lets them share it (Linux, BSD).`;

const MOST = 16;
const BY_DEFAULT: NodeCounts = { api: 2, auth: 1, catalog: 1, purchasing: 2, ledger: 2 };

/** Reads the command's arguments. Throws a ServerProblem that says how it is used. */
export function readClusterArguments(
  args: readonly string[],
  defaultPort: number,
): { counts: NodeCounts; port: number; onePort: boolean } {
  let values: Record<string, string | undefined>;
  let onePort: boolean;
  try {
    const names = [...SERVICE_NAMES, "port"];
    const numbers = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
    const { "one-port": shared, ...given } = parseArgs({
      args: [...args],
      options: { ...numbers, "one-port": { type: "boolean" } },
    }).values;
    onePort = shared === true;
    values = given;
  } catch (error) {
    throw new ServerProblem(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
  const number = (name: string, byDefault: number, least: number, most: number): number => {
    const text = values[name];
    if (text === undefined) return byDefault;
    if (/^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most)
      return Number(text);
    throw new ServerProblem(
      `--${name} is "${text}"; give a whole number from ${least} to ${most}\n${USAGE}`,
    );
  };
  const counts = Object.fromEntries(
    SERVICE_NAMES.map((name) => [name, number(name, BY_DEFAULT[name], 0, MOST)]),
  ) as NodeCounts;
  return { counts, port: number("port", defaultPort, 1, 65_535 - MOST), onePort };
}
