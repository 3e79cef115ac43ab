import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerUrls } from "../../config/index.ts";
import { openToServers } from "../dev-servers/data-folders.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { startedAt } from "../dev-servers/process-identity.ts";
import { startServers } from "../dev-servers/servers.ts";
import { outsideEnvironment } from "../process/outside-environment.ts";
import { makeAuthority, makeCertificate } from "./certificate.ts";

const PREFIX = "boxoffice-test-";
const SLOTS = 8;

/**
 * `engineUrl`: PostgreSQL by the engine's role. `amqpsUrl`: RabbitMQ by TLS. `prometheusUrl`: of
 * RabbitMQ. The folder has the authority of their certificates, ca.crt and ca.key.
 */
export type TestServers = {
  urls: Partial<ServerUrls>;
  engineUrl?: string | undefined;
  amqpsUrl?: string | undefined;
  prometheusUrl?: string | undefined;
  folder: string;
  stop(): Promise<void>;
};

/** Starts servers for one run of the tests; their data is deleted with them unless it is kept. */
export async function startTestServers(options: {
  report: Report;
  abort: AbortSignal;
  keep: boolean;
  start: boolean;
}): Promise<TestServers> {
  removeAbandoned();
  const folder = openToServers(mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  const remove = (where: string) => {
    if (!options.keep) rmSync(where, { recursive: true, force: true });
  };
  if (!options.start) return { urls: {}, folder, stop: async () => remove(folder) };
  const lines: string[] = [];
  const report = (line: string) => (lines.length === 0 ? options.report(line) : lines.push(line));
  try {
    const servers = await startServers({
      dataDir: folder,
      report,
      restart: true,
      throwaway: true,
      slots: SLOTS,
      tls: makeCertificate(folder, "server", makeAuthority(folder, "ca")),
      abort: options.abort,
    });
    return {
      urls: servers.urls,
      engineUrl: servers.roleUrls.DATABASE_URL,
      amqpsUrl: servers.amqpsUrl,
      prometheusUrl: servers.prometheusUrl,
      folder,
      async stop() {
        lines.push("stopping"); // The last lines on the screen are the tests' own.
        await servers.stop();
        remove(servers.folder);
        remove(folder);
      },
    };
  } catch (error) {
    remove(folder);
    throw error;
  }
}

/**
 * Returns this environment without the variables of the person's own engine. Node keeps compiled
 * code for the run, because hundreds of processes load the same files.
 */
export function testEnvironment(servers: TestServers): NodeJS.ProcessEnv {
  return {
    ...outsideEnvironment(),
    NODE_COMPILE_CACHE: join(servers.folder, "compile-cache"),
    ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}),
    ...servers.urls,
    ...(servers.engineUrl === undefined ? {} : { TEST_ENGINE_URL: servers.engineUrl }),
    ...(servers.amqpsUrl === undefined
      ? {}
      : { TEST_AMQPS_URL: servers.amqpsUrl, TEST_TLS_FOLDER: servers.folder }),
    ...(servers.prometheusUrl === undefined ? {} : { RABBITMQ_METRICS_URL: servers.prometheusUrl }),
    DATA_DIR: join(servers.folder, "engine"),
  };
}

/** Removes the folders of killed runs. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && startedAt(pid) === undefined)
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
