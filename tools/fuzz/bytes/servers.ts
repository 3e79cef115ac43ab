import { fork } from "node:child_process";
import { join } from "node:path";
import type { Environment } from "../../../config/index.ts";
import { startNginx } from "../../dev-servers/nginx.ts";
import { provideBinaries } from "../../dev-servers/packages.ts";
import { ROOT } from "../../root.ts";
import type { Held, ServersMessage } from "./servers-program.ts";

export type FuzzServers = {
  /** Ports on 127.0.0.1. */
  gateway: number;
  plain: number;
  /** What the servers hold now. Rejects if their process has ended. */
  held(): Promise<Held>;
  /** How the process ended, if it has. */
  ended(): string | undefined;
  stop(): Promise<void>;
};

/** Starts a gateway and a plain server of Node in one process of their own. */
export async function startFuzzServers(environment: Environment = {}): Promise<FuzzServers> {
  const child = fork(join(ROOT, "tools", "fuzz", "bytes", "servers-program.ts"), {
    execArgv: ["--expose-gc"],
    env: { ...environment },
  });
  let end: string | undefined;
  const exited = new Promise<undefined>((resolve) => {
    child.once("exit", (code, signal) => {
      end = signal ?? `exit code ${code}`;
      resolve(undefined);
    });
  });
  let receive: (message: ServersMessage) => void = () => undefined;
  child.on("message", (message: ServersMessage) => receive(message));
  const next = async <T extends ServersMessage>(): Promise<T> => {
    const message = await Promise.race([
      new Promise<T>((resolve) => (receive = (value) => resolve(value as T))),
      exited,
    ]);
    if (message === undefined) throw new Error(`The servers' process ended (${end})`);
    return message;
  };
  const ports = await next<{ gateway: number; plain: number }>();
  return {
    ...ports,
    held() {
      if (end !== undefined)
        return Promise.reject(new Error(`The servers' process ended (${end})`));
      const answer = next<Held>();
      child.send("held");
      return answer;
    },
    ended: () => end,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** Puts nginx before both servers. Its quiet connections end after a second. */
export async function throughNginx(
  servers: FuzzServers,
  tls?: { certFile: string; keyFile: string },
): Promise<FuzzServers> {
  const { nginx: program = "nginx" } = await provideBinaries(["nginx"], () => undefined);
  const upstreams = [servers.gateway, servers.plain];
  const nginx = await startNginx(program, { upstreams, tls, idleS: 1 });
  const [gateway = 0, plain = 0] = nginx.ports;
  return {
    ...servers,
    gateway,
    plain,
    async stop() {
      await Promise.all([nginx.stop(), servers.stop()]);
    },
  };
}
