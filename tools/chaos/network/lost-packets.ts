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
  const end = async (): Promise<void> => {
    for (const rule of rules.splice(0)) await iptables("-D", rule);
  };
  for (const rule of rules) await iptables("-I", rule);
  return end;
}

async function iptables(action: "-I" | "-D", rule: readonly string[]): Promise<void> {
  try {
    await run("iptables", ["-w", "5", action, ...rule]);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    throw new Error(
      code === "ENOENT"
        ? "iptables is missing: install it (apt-get install iptables)"
        : `iptables failed (it needs root): ${stderr ?? ""}`,
      { cause: error },
    );
  }
}
