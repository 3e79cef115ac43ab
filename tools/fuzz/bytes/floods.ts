import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT } from "../../root.ts";
import type { FloodMessage } from "./flood-program.ts";

export type FloodResult = { kind: string; searches: number; failed: number; p99Ms: number };

const PAUSE_MS = 5;
/** Searches without a flood, so that its figure is a comparison. */
const CALM_MS = 3_000;
const AFTER_MS = 1_000;

/** Searches as another client, alone and under each flood. */
export async function measureFloods(ports: { http: number; tls: number }): Promise<FloodResult[]> {
  const results = [await searchesDuring("no flood", ports.http, false, () => delay(CALM_MS))];
  for (const kind of await kinds()) {
    const isTls = kind.includes("HTTP/2");
    const port = isTls ? ports.tls : ports.http;
    results.push(await searchesDuring(kind, port, isTls, () => flood(kind, port)));
  }
  return results;
}

async function kinds(): Promise<string[]> {
  const child = attacker([]);
  const [names] = (await once(child, "message")) as [FloodMessage];
  child.disconnect();
  return typeof names === "string" ? [] : names;
}

async function flood(kind: string, port: number): Promise<void> {
  const child = attacker([kind, String(port)]);
  await Promise.race([once(child, "message"), once(child, "exit")]);
  await delay(AFTER_MS);
  if (child.connected) child.disconnect();
}

function attacker(words: string[]): ChildProcess {
  return fork(join(ROOT, "tools", "fuzz", "bytes", "flood-program.ts"), words, { execArgv: [] });
}

async function searchesDuring(
  kind: string,
  port: number,
  isTls: boolean,
  work: () => Promise<unknown>,
): Promise<FloodResult> {
  const agent = isTls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  const times: number[] = [];
  let failed = 0;
  let busy = true;
  const working = work().finally(() => (busy = false));
  while (busy) {
    const startedMs = performance.now();
    const isFine = await search(agent, port, isTls);
    if (isFine) times.push(performance.now() - startedMs);
    else failed += 1;
    await delay(PAUSE_MS);
  }
  await working;
  agent.destroy();
  times.sort((one, other) => one - other);
  const p99Ms = times[Math.floor(times.length * 0.99)] ?? Infinity;
  return { kind, searches: times.length + failed, failed, p99Ms: Math.round(p99Ms * 10) / 10 };
}

function search(agent: Agent, port: number, isTls: boolean): Promise<boolean> {
  const options = { agent, port, host: "127.0.0.1", path: "/api/events?limit=50", timeout: 5_000 };
  return new Promise((resolve) => {
    const asked = isTls ? tlsRequest({ ...options, rejectUnauthorized: false }) : request(options);
    asked.on("response", (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });
}
