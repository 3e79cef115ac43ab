import { join, relative } from "node:path";
import { type Config, type Environment, processEnvironment } from "../../config/index.ts";
import { demoCatalogThrough } from "../demo/ensure-demo-catalog.ts";
import { checkPorts, freePort } from "../dev-servers/ports.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { createReport, isForPeople } from "../process/report.ts";
import { type Lifecycle, runUntilStopped } from "../process/run-until-stopped.ts";
import { buildWebApp } from "../web-build/build.ts";
import { type Engine, joinEngine } from "./connect.ts";
import { writeEngineFile } from "./engine-file.ts";
import { engineProcess } from "./engine-process.ts";
import { type PreparedEngine, prepareEngine, WITHOUT_OWNER } from "./prepare.ts";

/**
 * Runs servers, schema, a process with every service, and demo events, until Ctrl-C or npm's end.
 * A process that ends unasked is started again; the servers run on meanwhile.
 */
export function startEngine(): void {
  const startedMs = performance.now();
  const report = createReport("boxoffice");
  runUntilStopped(report, (life) => bringUp(life, report, startedMs));
}

async function bringUp(life: Lifecycle, report: Report, startedMs: number): Promise<void> {
  const environment = processEnvironment();
  const [prepared] = await Promise.all([
    prepareEngine(environment, life, report, checkEnginePorts),
    buildWebApp(report, { environment, abort: life.abort }),
  ]);
  const { config, urls, prometheusUrl } = prepared;
  const { nodeId, dataDir, services } = config;
  const port = config.port === 0 ? await freePort() : config.port;
  let forgetFile = (): void => undefined;
  let address: string | undefined;
  report(`starting ${services.join(", ")}`);
  const engine = engineProcess({
    environment: nodeEnvironment(environment, prepared, port),
    report,
    onReady({ pid, url }) {
      address = url;
      const backupUrl = config.backupDatabaseUrl;
      const file = { nodeId, address, urls, backupUrl, prometheusUrl };
      forgetFile = writeEngineFile(dataDir, file, pid);
    },
    onEnd: (reason, expected) => life.stop(reason, expected ? 0 : 1),
  });
  life.onStop("the engine's process", async () => {
    forgetFile();
    await engine.stop();
  });
  life.abort.addEventListener("abort", () => void engine.stop());
  await engine.start();
  const catalog = await showCatalog(prepared, report, life.abort);
  const serves = address === undefined ? `runs ${services.join(", ")}` : `serves on ${address}`;
  report(`${serves} (${secondsSince(startedMs)}); Ctrl-C stops it`);
  if (isForPeople()) console.log(overview(config, address, catalog));
}

/** What the node needs besides the person's variables, the same at each start. */
function nodeEnvironment(
  environment: Environment,
  { config: { auditFile, dataDir, nodeId }, urls }: PreparedEngine,
  port: number,
): Environment {
  return {
    // Keeps the compiled program, which halves the CPU of the next start.
    NODE_COMPILE_CACHE: join(dataDir, "compile-cache"),
    ...environment,
    ...WITHOUT_OWNER,
    ...urls,
    AUDIT_FILE: auditFile,
    NODE_ID: nodeId,
    PORT: String(port),
  };
}

/** The ports that a node of this configuration opens; 0 lets the system choose one. */
function checkEnginePorts({ host, port, portSharing, ...config }: Config): Promise<void> {
  const { healthPort, metricsPort } = config;
  const gateway = config.services.includes("api") && !portSharing ? [port] : [];
  const ports = [...gateway, healthPort, metricsPort].filter((number) => number !== undefined);
  return checkPorts(host, ports, "PORT");
}

/** Outside production: adds the demo events, and says what is on sale. */
async function showCatalog(
  { config, urls }: PreparedEngine,
  report: Report,
  signal: AbortSignal,
): Promise<string> {
  if (config.production || !config.services.includes("catalog")) return "not shown";
  const engine = await joinEngine(
    { ...processEnvironment(), ...urls },
    { as: "start", needs: "catalog" },
  );
  try {
    await demoCatalogThrough(engine.broker, config, report, signal);
    return isForPeople() ? await catalogOf(engine) : "";
  } finally {
    await engine.broker.stop();
  }
}

/** The block at the end of a start: what a person needs next. */
function overview(config: Config, address: string | undefined, catalog: string): string {
  const { auditFile, dataDir, logLevel } = config;
  const shown = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith("..") ? path : short;
  };
  const rows = [
    ["Open", address ?? "no gateway runs here"],
    ["Catalog", catalog],
    ["Log", `this terminal (LOG_LEVEL=${logLevel}); the servers' logs are in ${shown(dataDir)}`],
    ["Audit trail", auditFile === undefined ? "this terminal" : shown(auditFile)],
    ["Operate", "npx boxoffice repl, in another terminal"],
    ["Stop", "Ctrl-C"],
  ];
  const lines = rows.map(([name = "", text = ""]) => `  ${name.padEnd(12)} ${text}`);
  return `\n  Boxoffice is running.\n\n${lines.join("\n")}\n`;
}

type Answer = { ok: boolean; value?: { items: { name: string }[]; nextCursor?: string | null } };

async function catalogOf({ broker }: Engine): Promise<string> {
  const search = { limit: 100 };
  const answer = await broker.call<Answer, object>("catalog.search", search).catch(() => undefined);
  const items = answer?.value?.items ?? [];
  if (answer?.ok !== true) return "not readable now";
  if (items.length === 0) return "no upcoming events; import some: npx boxoffice import FILE";
  const many = items.length === search.limit ? `${search.limit} or more` : String(items.length);
  return `${many} upcoming events, the first is ${items[0]?.name ?? ""}`;
}
