import { endLeftover } from "./stale-processes.ts";
import { keptPassword, writeForServer } from "./data-folders.ts";
import { answers, onFreePort } from "./probe.ts";
import type { RecipeContext, RunningRecipe } from "./server-definition.ts";
import { supervise } from "./supervisor.ts";

/** Starts a private Redis with snapshots: a crash may lose 15 minutes of its copies. */
export async function startRedis(context: RecipeContext): Promise<RunningRecipe> {
  const { place } = context;
  const password = keptPassword(place);
  await endLeftover(place.folder, "Redis", "SIGTERM", context.report);
  const server = await onFreePort((port) => {
    const configuration = [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir "${place.dataFolder}"`,
      `requirepass ${password}`,
      "save 900 1",
      "appendonly no",
      "daemonize no",
      // It holds copies and leases: with a full disk it keeps running without snapshots.
      "stop-writes-on-bgsave-error no",
      "tcp-backlog 511",
      'logfile ""',
    ];
    const file = writeForServer(place, "redis.conf", `${configuration.join("\n")}\n`);
    return supervise(
      {
        label: "Redis",
        command: context.binaries.redis ?? "redis-server",
        args: [file],
        folder: place.folder,
        workFolder: place.dataFolder,
        account: place.account,
        port,
        stopSignal: "SIGTERM",
        stopTimeoutMs: 10_000,
        isReady: () => answers(port, `AUTH ${password}\r\nPING\r\n`, /\+PONG/),
      },
      context,
    );
  });
  return { url: `redis://:${password}@127.0.0.1:${server.port}`, processes: [server] };
}
