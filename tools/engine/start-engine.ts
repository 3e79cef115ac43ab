import { relative } from "node:path";
import { type Config, processEnvironment } from "../../config/index.ts";
import { type RunningNode, startNode } from "../../main.ts";
import { ensureDemoCatalog, reportDemoCatalog } from "../demo/ensure-demo-catalog.ts";
import { checkPorts } from "../dev-servers/ports.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { stopNode } from "../process/node-process.ts";
import { createReport, isForPeople } from "../process/report.ts";
import { type Lifecycle, runUntilStopped } from "../process/run-until-stopped.ts";
import { buildWebApp } from "../web-build/build.ts";
import { writeEngineFile } from "./engine-file.ts";
import { prepareEngine } from "./prepare.ts";

/** Runs servers, schema, one node with every service and demo events, until Ctrl-C or npm's end. */
export function startEngine(): void {
  const startedMs = performance.now();
  const report = createReport("boxoffice");
  runUntilStopped(report, (life) => bringUp(life, report, startedMs));
}

async function bringUp(life: Lifecycle, report: Report, startedMs: number): Promise<void> {
  const environment = processEnvironment();
  const [{ config, urls, prometheusUrl }] = await Promise.all([
    prepareEngine(environment, life, report, checkEnginePorts),
    buildWebApp(report, { environment, abort: life.abort }),
  ]);
  report(`starting ${config.services.join(", ")}`);
  const node = await startNode(config);
  life.onStop("node", () => stopNode(node, report));
  await addDemoCatalog(config, node, report, life.abort);
  const { nodeId, dataDir } = config;
  life.onStop(
    "engine.json",
    writeEngineFile(dataDir, { nodeId, address: node.url, urls, prometheusUrl }),
  );
  const serves =
    node.url === undefined ? `runs ${config.services.join(", ")}` : `serves on ${node.url}`;
  report(`${serves} (${secondsSince(startedMs)}); Ctrl-C stops it`);
  if (isForPeople()) console.log(await overview(config, node));
}

/** The ports that a node of this configuration opens; 0 lets the system choose one. */
function checkEnginePorts({ host, port, portSharing, ...config }: Config): Promise<void> {
  const { healthPort, metricsPort } = config;
  const gateway = config.services.includes("api") && !portSharing ? [port] : [];
  const ports = [...gateway, healthPort, metricsPort].filter((number) => number !== undefined);
  return checkPorts(host, ports, "PORT");
}

async function addDemoCatalog(
  config: Config,
  node: RunningNode,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  if (config.production || !config.services.includes("catalog")) return;
  const startedMs = performance.now();
  const demo = await ensureDemoCatalog(node.broker, config, { signal });
  reportDemoCatalog(demo, secondsSince(startedMs), report);
}

/** The block at the end of a start: what a person needs next. */
async function overview(config: Config, node: RunningNode): Promise<string> {
  const { auditFile, dataDir, logLevel } = config;
  const shown = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith("..") ? path : short;
  };
  const rows = [
    ["Open", node.url ?? "no gateway runs here"],
    ["Catalog", await catalogOf(node)],
    ["Log", `this terminal (LOG_LEVEL=${logLevel}); the servers' logs are in ${shown(dataDir)}`],
    ["Audit trail", auditFile === undefined ? "this terminal" : shown(auditFile)],
    ["Operate", "npx boxoffice repl, in another terminal"],
    ["Stop", "Ctrl-C"],
  ];
  const lines = rows.map(([name = "", text = ""]) => `  ${name.padEnd(12)} ${text}`);
  return `\n  Boxoffice is running.\n\n${lines.join("\n")}\n`;
}

type Answer = { ok: boolean; value?: { items: { name: string }[]; nextCursor?: string | null } };

async function catalogOf({ broker }: RunningNode): Promise<string> {
  const search = { limit: 100 };
  const answer = await broker.call<Answer, object>("catalog.search", search).catch(() => undefined);
  const items = answer?.value?.items ?? [];
  if (answer?.ok !== true) return "not readable now";
  if (items.length === 0) return "no upcoming events; import some: npx boxoffice import FILE";
  const many = items.length === search.limit ? `${search.limit} or more` : String(items.length);
  return `${many} upcoming events, the first is ${items[0]?.name ?? ""}`;
}
