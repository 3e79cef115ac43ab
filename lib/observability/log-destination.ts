import { createRequire } from "node:module";
import type { DestinationStream } from "pino";
import type { PrettyOptions } from "pino-pretty";
import { openOutput } from "./file-output.ts";

const OPTIONS: PrettyOptions = {
  colorize: true,
  translateTime: "SYS:HH:MM:ss",
  // They repeat on every line of one terminal.
  ignore: "pid,hostname,nodeID,ns,name,ver,mod,svc",
  messageFormat: "{mod}: {msg}",
  singleLine: true,
  sync: true,
};

let output: DestinationStream | undefined;

/** Standard output for the nodes of this process: JSON, or lines for a person at a terminal. */
export function openLogDestination(production: boolean): DestinationStream {
  const forPeople = logDestination(production);
  if (forPeople !== undefined) return forPeople;
  const opened = (output ??= openOutput("log", { dest: 1 }));
  return {
    write(line) {
      opened.write(line);
    },
  };
}

/** Formats log lines for a person at a terminal; undefined elsewhere, where they stay JSON. */
export function logDestination(production: boolean): DestinationStream | undefined {
  if (production || !process.stdout.isTTY) return undefined;
  // Loaded here, since most processes of an engine do not need it.
  const load = createRequire(import.meta.url);
  const { prettyFactory } = load("pino-pretty") as typeof import("pino-pretty");
  const format = prettyFactory(OPTIONS);
  return { write: (line) => void process.stdout.write(format(line)) };
}
