/**
 * What refuses the writes of a node while the engine goes on. `cache`: Redis at its maxmemory.
 * `queue`: RabbitMQ with an alarm of memory or disk. `mail`, `audit`, `log`: files of the node.
 */
export const TROUBLE_KINDS = ["cache", "queue", "mail", "audit", "log"] as const;
export type TroubleKind = (typeof TROUBLE_KINDS)[number];

type Trouble = { reason: string; begins: string; ends: string };
const TROUBLES: Readonly<Record<TroubleKind, Trouble>> = {
  cache: {
    reason: "memory-full",
    begins: "Redis has no memory left and refuses to write: reads go to PostgreSQL",
    ends: "Redis has memory again and writes",
  },
  queue: {
    reason: "blocked",
    begins:
      "RabbitMQ blocks publishers (an alarm of memory or disk): messages are left to the sweeper",
    ends: "RabbitMQ accepts messages again",
  },
  mail: {
    reason: "disk-full",
    begins: "The disk of DATA_DIR is full: e-mails wait in PostgreSQL",
    ends: "The disk of DATA_DIR has room again: e-mails are written",
  },
  audit: {
    reason: "disk-full",
    begins: "The disk of the audit trail is full: its lines wait in memory",
    ends: "The disk of the audit trail has room again: its lines are written",
  },
  log: {
    reason: "disk-full",
    begins: "The disk of the log is full: its lines wait in memory",
    ends: "The disk of the log has room again: its lines are written",
  },
};

export type TroubleLog = { warn(text: string): void; info(text: string): void };

/** Its reason in metrics. */
export function troubleReason(kind: TroubleKind): string {
  return TROUBLES[kind].reason;
}

/**
 * Tracks what refuses to write. Each trouble is logged when it begins and when it is over, however
 * many writes are refused, and however many connections (`by`) meet it.
 */
export class Troubles {
  private readonly sources = new Map<TroubleKind, Set<object>>();
  private log: TroubleLog | undefined;

  constructor(log?: TroubleLog) {
    this.log = log;
  }

  logTo(log: TroubleLog): void {
    this.log = log;
  }

  /** `detail`: the words of the server or the system. */
  begin(kind: TroubleKind, by: object, detail: string): void {
    const met = this.sources.get(kind) ?? new Set();
    this.sources.set(kind, met);
    const isNew = met.size === 0;
    met.add(by);
    if (isNew) this.log?.warn(`${TROUBLES[kind].begins} (${detail})`);
  }

  /** `silently`: the connection has ended, which is logged elsewhere. */
  end(kind: TroubleKind, by: object, silently = false): void {
    const met = this.sources.get(kind);
    if (met === undefined || !met.delete(by) || met.size > 0 || silently) return;
    this.log?.info(TROUBLES[kind].ends);
  }

  isOn(kind: TroubleKind): boolean {
    return (this.sources.get(kind)?.size ?? 0) > 0;
  }
}

/** Troubles of the process, whose log and audit trail all of its nodes share. */
export const processTroubles = new Troubles();

/** Troubles as /readyz shows them: `cache (memory-full)`. */
export function troublesShown(...all: readonly Troubles[]): string[] {
  return TROUBLE_KINDS.filter((kind) => all.some((troubles) => troubles.isOn(kind))).map(
    (kind) => `${kind} (${TROUBLES[kind].reason})`,
  );
}

/** Whether the system refused a write for want of room: the disk, or the user's share of it. */
export function isNoRoom(error: unknown): error is Error & { code: string } {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && (code === "ENOSPC" || code === "EDQUOT");
}
