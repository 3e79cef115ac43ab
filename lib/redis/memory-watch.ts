import type { Redis } from "ioredis";
import type { Troubles } from "../observability/troubles.ts";

/** Redis' answer to a write at maxmemory, also from within a script. */
const NO_MEMORY = "OOM command not allowed";
const PROBE_EVERY_MS = 1_000;
/** Memory that frees itself piece by piece is no end: none may be refused for this long. */
const QUIET_MS = 3_000;
const PROBE_KEY = "boxoffice-probe";

/**
 * Watches whether Redis refuses writes at its maxmemory. From the first refusal a small write every
 * second looks whether it is over.
 */
export function watchMemory(client: Redis, troubles: Troubles): void {
  let refusedAtMs = -Infinity;
  let probe: NodeJS.Timeout | undefined;
  const stop = (silently: boolean): void => {
    clearInterval(probe);
    probe = undefined;
    troubles.end("cache", client, silently);
  };
  const look = async (): Promise<void> => {
    await client.set(PROBE_KEY, "1", "PX", PROBE_EVERY_MS);
    if (probe !== undefined && performance.now() - refusedAtMs >= QUIET_MS) stop(false);
  };
  const refused = (message: string): void => {
    refusedAtMs = performance.now();
    troubles.begin("cache", client, message);
    probe ??= setInterval(() => void look().catch(() => undefined), PROBE_EVERY_MS).unref();
  };
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    const { reject } = command;
    command.reject = (error) => {
      if (error.message.includes(NO_MEMORY)) refused(NO_MEMORY);
      reject(error);
    };
    return send(command, stream);
  };
  client.on("end", () => stop(true));
}
