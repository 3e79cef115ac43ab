import { type DestinationStream, destination } from "pino";
import type { ServiceBroker } from "moleculer";

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

/** Longer texts are cut: whoever can choose a text must not be able to fill the trail. */
const TEXT_MAX = 200;
/** Lines that wait for a standstill of whoever reads the log; what is beyond is lost, and the node lives. */
const WAITING_BYTES_MAX = 64 * 1_024 * 1_024;

/** The audit trail of a node. Writing a line costs microseconds and waits for nothing. */
export function openAudit(broker: ServiceBroker): Audit {
  const log = broker.getLogger(AUDIT_MODULE.toLowerCase());
  return (entry) => log.info(entry);
}

/** Text from outside, for one line of a log and one cell of a terminal: no control, format or line-separating character survives. */
export function plainText(text: string | undefined): string | undefined {
  return text?.slice(0, TEXT_MAX).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
}

const destinations = new Map<string, DestinationStream>();

/** Where the trail goes: a file, appended to and closed to others, or the standard output. Written behind the caller's back, and whole at exit. */
export function auditDestination(file: string | undefined): DestinationStream {
  const key = file ?? "";
  const known = destinations.get(key);
  if (known !== undefined) return known;
  const made = destination({
    ...(file === undefined ? { dest: 1 } : { dest: file, append: true, mode: 0o600 }),
    sync: false,
    maxLength: WAITING_BYTES_MAX,
  });
  destinations.set(key, made);
  return made;
}
