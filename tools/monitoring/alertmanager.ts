import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { freePort } from "../dev-servers/ports.ts";
import { startMonitorProgram } from "./monitor-program.ts";
import { MONITORING, sooner } from "./rule-files.ts";

type Webhook = { url_file?: string; url?: string };
const WAITS = ["group_wait", "group_interval"] as const;
type Route = Partial<Record<(typeof WAITS)[number], string>> & { routes?: Route[] };
type Configuration = {
  route: Route;
  receivers: { name: string; webhook_configs?: Webhook[] }[];
};

/** The project's configuration, its receivers at one address. `speed` divides what groups wait. */
export function alertmanagerConfiguration(receiver: string, speed = 1): string {
  const file = readFileSync(join(MONITORING, "alertmanager.yml"), "utf8");
  const { route, receivers, ...rest } = parse(file) as Configuration;
  const quick = ({ routes, ...one }: Route): Route => ({
    ...one,
    ...Object.fromEntries(
      WAITS.flatMap((name) => (one[name] === undefined ? [] : [[name, sooner(one[name], speed)]])),
    ),
    ...(routes === undefined ? {} : { routes: routes.map(quick) }),
  });
  return stringify({
    ...rest,
    route: quick(route),
    receivers: receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: `${receiver}/${name}`, send_resolved: true }],
    })),
  });
}

/** Starts a real Alertmanager that notifies `receiver`/page, /ticket and /heartbeat. */
export async function startAlertmanager(options: {
  program: string;
  /** An empty folder for configuration and data. */
  folder: string;
  receiver: string;
  speed?: number;
}): Promise<{ port: number; stop(): Promise<void> }> {
  const { program, folder, receiver, speed } = options;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "alertmanager.yml");
  writeFileSync(file, alertmanagerConfiguration(receiver, speed));
  const port = await freePort();
  const alertmanager = await startMonitorProgram(
    program,
    [
      `--config.file=${file}`,
      `--storage.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    port,
  );
  return { port, stop: () => alertmanager.stop() };
}
