import { destination } from "pino";
import type { ServiceBroker } from "moleculer";
import { redacted } from "./redaction.ts";

/** What is written down of an act: who, what, when (the logger adds it), with which outcome, asked by which request, from where. */
export type AuditEntry = {
  /** `sign-in`, `purchase`, `access` (a refusal), or the name of an operator's action. */
  what: string;
  /** `ok`, or the word of the refusal. */
  outcome: string;
  requestId?: string | undefined;
  userId?: string | undefined;
  role?: string | undefined;
  address?: string | undefined;
  [fact: string]: string | number | boolean | undefined;
};

export type Audit = (entry: AuditEntry) => void;

/** The module whose lines are the audit trail; `brokerOptions` gives it an appender and a level of its own. */
export const AUDIT_MODULE = "AUDIT";

/** As pino numbers the level. */
const INFO = 30;
/** Longer texts are cut: whoever can choose a text must not be able to fill the trail. */
const TEXT_MAX = 200;
/** Also what a kill -9 may take with it. */
const GATHERED_MS = 20;
/** Lines that wait for a standstill of whoever reads the log; what is beyond is lost, and the node lives. */
const WAITING_BYTES_MAX = 64 * 1_024 * 1_024;

/** The audit trail of a node. Writing a line costs microseconds and waits for nothing. */
export function openAudit(broker: ServiceBroker): Audit {
  const log = broker.getLogger(AUDIT_MODULE.toLowerCase());
  return (entry) => log.info(entry);
}

/**
 * Text from outside, for one line of a log and one cell of a terminal: no control, format or line-separating character survives, nor what looks
 * like a secret. All else in an entry is ours, so the finished line need not be searched: that would be a third of its cost.
 */
export function plainText(text: string | undefined): string | undefined {
  return text === undefined
    ? undefined
    : redacted(text.slice(0, TEXT_MAX).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}"));
}

/**
 * The logger of the trail: lines as pino's, each made of the entry in one go, since pino puts together member by member what every purchase writes.
 * `bindings` are the node's.
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
 * Where the trail goes: a file, appended to and closed to others, or the standard output. Lines are gathered for a moment, since in a rush a write
 * for each would cost more than the line itself, and written behind the caller's back; those that wait when the process exits are written first.
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
