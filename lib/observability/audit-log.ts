import { open } from "node:fs/promises";
import type { ServiceBroker } from "moleculer";
import { redacted } from "./redaction.ts";
import { guarded } from "./faults.ts";
import { openOutput } from "./file-output.ts";

/**
 * One act in the audit trail: what, with which outcome, for which request and user, from where. The
 * logger adds the time.
 */
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

/** Logger module of the audit trail. `createBrokerOptions` gives it its own appender and level. */
export const AUDIT_MODULE = "AUDIT";

/** pino's number of the level. */
const INFO = 30;
/** Cut longer texts, so that input from outside cannot fill the trail. */
const TEXT_MAX = 200;
/** Time that lines are buffered. A kill -9 may lose them. */
const GATHERED_MS = 20;
/** How often a node looks whether its file was moved away, while it writes lines. */
const ROTATION_LOOK_MS = 1_000;
const OWNER_ONLY = 0o600;

/** Opens the audit trail of a node. Writing a line never waits. */
export function openAudit(broker: ServiceBroker): Audit {
  const log = broker.getLogger(AUDIT_MODULE.toLowerCase());
  return (entry) => log.info(entry);
}

/**
 * Cleans text from outside for one line of a log and one cell of a terminal: replaces control,
 * format and line-separating characters and redacts secrets. The rest of an entry is our own, so
 * the finished line need not be searched, which would cost a third more.
 */
export function plainText(text: string | undefined): string | undefined {
  return text === undefined
    ? undefined
    : redacted(text.slice(0, TEXT_MAX).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}"));
}

/**
 * Creates the logger of the trail. It writes lines like pino's, each with one JSON.stringify: every
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
 * Opens the trail's destination: a file (appended to, mode 0600) or standard output. Lines are
 * buffered for a moment, because in a rush one write per line would cost more than the line, and
 * written asynchronously. At exit the buffered lines are written first.
 */
function destinationOf(file: string | undefined): Destination {
  const key = file ?? "";
  const known = destinations.get(key);
  if (known !== undefined) return known;
  if (destinations.size === 0) process.on("exit", finishAll);
  const output = openOutput(
    "audit",
    file === undefined ? { dest: 1 } : { dest: file, append: true, mode: OWNER_ONLY },
  );
  let gathered: string[] = [];
  const lookForRotation = file === undefined ? () => undefined : followRotation(file, output);
  lookForRotation();
  const pass = (): void => {
    lookForRotation();
    const lines = gathered.join("");
    gathered = [];
    if (lines !== "") output.write(lines);
  };
  const write = (line: string): void => {
    if (gathered.length === 0) setTimeout(() => guarded("timer", pass), GATHERED_MS);
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

/**
 * Returns a function that looks, once a second at most, whether the file was moved away (`npx
 * boxoffice retention`, logrotate), and then goes on in a new one. No line is lost.
 */
function followRotation(file: string, output: { reopen(): void }): () => void {
  let inode: number | undefined;
  let lookedAtMs = -Infinity;
  const look = async (): Promise<void> => {
    // Makes the new file itself: the trail cannot report that it does not open.
    const handle = await open(file, "a", OWNER_ONLY);
    const { ino } = await handle.stat();
    await handle.close();
    if (inode !== undefined && ino !== inode) output.reopen();
    inode = ino;
  };
  return () => {
    if (performance.now() - lookedAtMs < ROTATION_LOOK_MS) return;
    lookedAtMs = performance.now();
    // A folder that is away: lines go on into the file that is open.
    look().catch(() => undefined);
  };
}

function finishAll(): void {
  for (const { finish } of destinations.values()) {
    try {
      finish();
    } catch {
      // The file is not open yet, or its reader has gone. The process is exiting and cannot report
      // it.
    }
  }
}
