import { destination } from "pino";
import type { ServiceBroker } from "moleculer";
import { redacted } from "./redaction.ts";

/** An entry of the audit trail. The logger adds the time. */
export type AuditEntry = {
  /** `sign-in`, `purchase`, `access` (a refusal), or the name of an operator's action. */
  what: string;
  /** `ok`, or the refusal's code. */
  outcome: string;
  requestId?: string | undefined;
  userId?: string | undefined;
  role?: string | undefined;
  address?: string | undefined;
  [fact: string]: string | number | boolean | undefined;
};

export type Audit = (entry: AuditEntry) => void;

/** Module name of the audit logger. `brokerOptions` gives it an appender and a level. */
export const AUDIT_MODULE = "AUDIT";

/** pino's number of the level. */
const INFO = 30;
/** Longest text of an entry, so that clients cannot fill the trail. */
const TEXT_MAX = 200;
/** Time that lines are buffered. A kill -9 may lose them. */
const GATHERED_MS = 20;
/** Limit of buffered lines if the reader stalls. Later lines are dropped. */
const WAITING_BYTES_MAX = 64 * 1_024 * 1_024;

/** Opens the audit trail of a node. Writing a line never waits. */
export function openAudit(broker: ServiceBroker): Audit {
  const log = broker.getLogger(AUDIT_MODULE.toLowerCase());
  return (entry) => log.info(entry);
}

/**
 * Makes external text safe for a log line and a terminal: no control, format or line-separating
 * characters, no likely secrets. The rest of an entry is ours, so the finished line is not searched
 * again.
 */
export function plainText(text: string | undefined): string | undefined {
  return text === undefined
    ? undefined
    : redacted(text.slice(0, TEXT_MAX).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}"));
}

/**
 * Makes the trail's logger. Lines look like pino's but are built in one step, because every
 * purchase writes one. `bindings` are the node's.
 */
export function auditLogger(file: string | undefined, bindings: object): { info: Audit } {
  const { write } = destinationOf(file);
  const node = JSON.stringify(bindings).slice(1, -1);
  return {
    info: (entry) =>
      write(`{"level":${INFO},"time":${Date.now()},${node},${JSON.stringify(entry).slice(1)}\n`),
  };
}

type Destination = { write: (line: string) => void; finish: () => void };

const destinations = new Map<string, Destination>();

/**
 * Opens the trail's destination: a private file or the standard output. Lines are written in
 * batches in the background, and at exit.
 */
function destinationOf(file: string | undefined): Destination {
  const key = file ?? "";
  const known = destinations.get(key);
  if (known !== undefined) return known;
  if (destinations.size === 0) process.on("exit", finishAll);
  const output = destination({
    ...(file === undefined ? { dest: 1 } : { dest: file, append: true, mode: 0o600 }),
    sync: false,
    maxLength: WAITING_BYTES_MAX,
  });
  let gathered: string[] = [];
  const pass = (): void => {
    const lines = gathered.join("");
    gathered = [];
    if (lines !== "") output.write(lines);
  };
  const write = (line: string): void => {
    if (gathered.length === 0) setTimeout(pass, GATHERED_MS);
    gathered.push(line);
  };
  const finish = (): void => {
    pass();
    output.flushSync();
  };
  const made = { write, finish };
  destinations.set(key, made);
  return made;
}

function finishAll(): void {
  for (const { finish } of destinations.values()) {
    try {
      finish();
    } catch {
      // A file that is not open yet, or a reader that has gone: the process is leaving, and there is nowhere to say so.
    }
  }
}
