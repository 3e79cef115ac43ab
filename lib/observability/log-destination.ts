import { createRequire } from "node:module";
import type { DestinationStream } from "pino";
import type { PrettyOptions } from "pino-pretty";

const OPTIONS: PrettyOptions = {
  colorize: true,
  translateTime: "SYS:HH:MM:ss",
  // They repeat on every line of one terminal.
  ignore: "pid,hostname,nodeID,ns,name,ver,mod,svc",
  messageFormat: "{mod}: {msg}",
  singleLine: true,
  sync: true,
};

/** Formats log lines for a person at a terminal; undefined elsewhere, where they stay JSON. */
export function logDestination(production: boolean): DestinationStream | undefined {
  if (production || !process.stdout.isTTY) return undefined;
  // Loaded here, since most processes of an engine do not need it.
  const load = createRequire(import.meta.url);
  const { prettyFactory } = load("pino-pretty") as typeof import("pino-pretty");
  const format = prettyFactory(OPTIONS);
  return { write: (line) => void process.stdout.write(format(line)) };
}
