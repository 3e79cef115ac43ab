import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/**
 * Runs rabbitmqctl with the environment of a private RabbitMQ that runs: the port of its port
 * mapper, the folder of its cookie.
 */
export async function controlRabbitmq(pid: number | undefined, ...args: string[]): Promise<void> {
  const entries = readFileSync(`/proc/${pid ?? 0}/environ`, "utf8")
    .split("\u0000")
    .filter((entry) => entry.includes("="));
  const env = Object.fromEntries(
    entries.map((entry) => [
      entry.slice(0, entry.indexOf("=")),
      entry.slice(entry.indexOf("=") + 1),
    ]),
  );
  const status = readFileSync(`/proc/${pid ?? 0}/status`, "utf8");
  const idOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  const as = process.getuid?.() === 0 ? { uid: idOf("Uid"), gid: idOf("Gid") } : {};
  await promisify(execFile)(CONTROL, ["-n", "boxoffice@localhost", ...args], {
    env,
    timeout: 30_000,
    cwd: "/",
    ...as,
  });
}
