import type { Answer } from "../../domain/refusal.ts";
import type { ListedCommand, ListedResult, ListPart } from "../../lib/bus/command-list.ts";
import { randomId } from "../../lib/ids.ts";

/** Longer than the caller of a list waits. */
const KEPT_MS = 5_000;
/** A ticket has at most 1.5 kB, so a part is less than the megabyte that NATS carries. */
const PART_TICKETS_MAX = 500;

/** Runs one command like a call of its own. */
type Run = (command: ListedCommand) => Promise<Answer<unknown>>;

type Ports = {
  nowMs: () => number;
  /** Resolves at the end of this turn of the event loop. */
  endOfTurn: () => Promise<void>;
  /** Whether the node is leaving. It will take no further calls, so it answers lists as a whole. */
  leaving: () => boolean;
};

/**
 * Runs lists of commands, and answers each list in parts: results of one turn of the event loop
 * travel together, and no result waits for a slower one.
 */
export class CommandLists {
  /** Lists with missing results, by id, those asked for last at the end. */
  private readonly open = new Map<string, { list: OpenList; sinceMs: number }>();
  private readonly ports: Ports;

  constructor(ports: Ports) {
    this.ports = ports;
  }

  /** Runs a list. Resolves with the results that come first. */
  submit(commands: readonly ListedCommand[], run: Run): Promise<ListPart> {
    this.forgetAbandoned();
    return this.partOf(randomId(), new OpenList(commands, run, this.ports));
  }

  /**
   * Resolves with further results. `token` is that of any of the list's commands. A list that is
   * not known has no results.
   */
  async collect(id: string, token: unknown): Promise<ListPart> {
    const list = this.open.get(id)?.list;
    if (!list?.tokens.has(token)) return { results: [] };
    this.open.delete(id);
    return this.partOf(id, list);
  }

  private async partOf(id: string, list: OpenList): Promise<ListPart> {
    const results = await list.take();
    if (list.isEmpty) return { results };
    this.open.set(id, { list, sinceMs: this.ports.nowMs() });
    return { results, rest: id };
  }

  private forgetAbandoned(): void {
    const dueMs = this.ports.nowMs() - KEPT_MS;
    for (const [id, { sinceMs }] of this.open) {
      if (sinceMs > dueMs) return;
      this.open.delete(id);
    }
  }
}

class OpenList {
  readonly tokens: ReadonlySet<unknown>;
  private readonly ready: ListPart["results"] = [];
  private missing: number;
  private readonly ports: Ports;
  private wake: () => void = () => undefined;

  constructor(commands: readonly ListedCommand[], run: Run, ports: Ports) {
    this.tokens = new Set(commands.map(({ meta }) => meta.token));
    this.missing = commands.length;
    this.ports = ports;
    for (const [position, command] of commands.entries())
      void resultOf(run, command).then((result) => {
        this.ready.push([position, result]);
        this.missing -= 1;
        this.wake();
      });
  }

  get isEmpty(): boolean {
    return this.missing + this.ready.length === 0;
  }

  private nextResult(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  /** Takes what is ready at the end of the turn that brings the next result. */
  async take(): Promise<ListPart["results"]> {
    const { endOfTurn, leaving } = this.ports;
    if (this.ready.length === 0) await this.nextResult();
    if (this.missing > 0) await endOfTurn();
    while (this.missing > 0 && leaving()) await this.nextResult();
    let tickets = 0;
    const end = this.ready.findIndex(
      ([, result]) => (tickets += ticketsIn(result)) > PART_TICKETS_MAX,
    );
    return this.ready.splice(0, end === -1 ? this.ready.length : end);
  }
}

async function resultOf(run: Run, command: ListedCommand): Promise<ListedResult> {
  try {
    return { answer: await run(command) };
  } catch (error) {
    const { message, stack, type, code, data } = error as Error & Record<string, unknown>;
    return { fault: { message, stack, type, code, data } };
  }
}

function ticketsIn(result: ListedResult): number {
  if (!("answer" in result) || !result.answer.ok) return 1;
  const { tickets } = result.answer.value as { tickets?: readonly unknown[] };
  return tickets?.length ?? 1;
}
