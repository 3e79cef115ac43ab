import { endLeftover } from "./stale-processes.ts";
import { keptPassword, writeForServer } from "./data-folders.ts";
import { answers, onFreePort } from "./probe.ts";
import type { RecipeContext, RunningRecipe } from "./server-definition.ts";
import { supervise } from "./supervisor.ts";

/** Starts a private NATS, the bus between nodes. It stores nothing. */
export async function startNats(context: RecipeContext): Promise<RunningRecipe> {
  const { place } = context;
  const password = keptPassword(place);
  await endLeftover(place.folder, "NATS", "SIGTERM", context.report);
  const server = await onFreePort((port) => {
    const configuration = `host: "127.0.0.1"\nport: ${port}\nauthorization: { user: "boxoffice", password: "${password}" }\n`;
    const file = writeForServer(place, "nats.conf", configuration);
    return supervise(
      {
        label: "NATS",
        command: context.binaries.nats ?? "nats-server",
        args: ["-c", file],
        folder: place.folder,
        workFolder: place.dataFolder,
        account: place.account,
        port,
        stopSignal: "SIGTERM",
        stopTimeoutMs: 5_000,
        isReady: () => answers(port, "", /^INFO /),
      },
      context,
    );
  });
  return { url: `nats://boxoffice:${password}@127.0.0.1:${server.port}`, processes: [server] };
}
