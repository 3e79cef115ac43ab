import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export type LostPackets = {
  /** The ports of the servers. Loopback only. */
  ports: readonly number[];
  /** `requests`: packets to the servers. `answers`: packets from them. */
  way: "requests" | "answers" | "both";
  /** Of 1. */
  share: number;
};

/**
 * Loses packets in the kernel, so that TCP repeats them as in a bad network: a proxy only delays.
 * Needs root and iptables. Returns what ends it.
 */
export async function losePackets({
  ports,
  way,
  share,
}: LostPackets): Promise<() => Promise<void>> {
  const chance =
    share >= 1 ? [] : ["-m", "statistic", "--mode", "random", "--probability", String(share)];
  const sides = [
    ...(way === "answers" ? [] : ["--dports"]),
    ...(way === "requests" ? [] : ["--sports"]),
  ];
  const rules = sides.map((side) => [
    ...["INPUT", "-i", "lo", "-p", "tcp", "-m", "multiport", side, ports.join(",")],
    ...[...chance, "-j", "DROP"],
  ]);
  const change = async (action: "-I" | "-D", rule: readonly string[]): Promise<void> => {
    await run("iptables", ["-w", "5", action, ...rule]);
  };
  const end = async (): Promise<void> => {
    for (const rule of rules.splice(0)) await change("-D", rule);
  };
  for (const rule of rules) await change("-I", rule);
  return end;
}
