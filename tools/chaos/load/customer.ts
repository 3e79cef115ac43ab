import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../testing/seeded-random.ts";
import type { Balancer } from "../network/balancer.ts";
import type { Ask, Reply } from "../network/http.ts";
import type { Entry, Journal, Outcome } from "./journal.ts";

/** What all customers of a run share. */
export type Market = {
  balancer: Balancer;
  journal: Journal;
  /** Signs an access token like that of a sign-in. */
  accessToken(user: string): string;
  purchaseId(user: string, event: string, key: string): string;
  cancellationId(ticket: string): string;
};

type Command = Pick<Entry, "op" | "user" | "event" | "key" | "quantity" | "transaction">;

const TRIES = 3;
const UNKNOWN_PAUSE_MS = 200;
/** The contract's Retry-After. */
const TRY_AGAIN_PAUSE_MS = 1_000;
const PAGES_MAX = 20;

/**
 * One customer. Repeats requests without an answer, or answered TRY_AGAIN, with the same key.
 * Writes every request into the journal.
 */
export class Customer {
  readonly user: string;
  private readonly market: Market;
  private readonly random: Random;
  private readonly token: string;

  constructor(market: Market, user: string, random: Random) {
    this.market = market;
    this.user = user;
    this.random = random;
    this.token = market.accessToken(user);
  }

  buy(event: string, quantity: number, key: string): Promise<Entry> {
    const transaction = this.market.purchaseId(this.user, event, key);
    return this.insist(
      { op: "buy", user: this.user, event, key, quantity, transaction },
      { "Idempotency-Key": key },
    );
  }

  cancel(event: string, ticket: string): Promise<Entry> {
    const transaction = this.market.cancellationId(ticket);
    return this.insist({
      op: "cancel",
      user: this.user,
      event,
      key: ticket,
      quantity: 0,
      transaction,
    });
  }

  /** Reads all pages, active and cancelled. One entry, ok if every page was answered. */
  async list(): Promise<Entry> {
    const started = performance.now();
    const tickets: string[] = [];
    const cancelled: string[] = [];
    let cursor = "";
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const { reply, via } = await this.send({
        method: "GET",
        path: `/api/tickets?limit=100${cursor}`,
      });
      const read = readReply(reply);
      const items =
        (reply.type === "answered"
          ? (reply.json?.items as { id: string; status: string }[] | undefined)
          : undefined) ?? [];
      tickets.push(...items.map(({ id }) => id));
      for (const { id, status } of items) if (status === "cancelled") cancelled.push(id);
      const next = reply.type === "answered" ? reply.json?.nextCursor : undefined;
      if (read.outcome !== "ok" || typeof next !== "string")
        return this.note({
          op: "list",
          event: undefined,
          key: "",
          quantity: 0,
          transaction: "",
          via,
          started,
          ...read,
          tickets,
          cancelled,
          pages: page + 1,
        });
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
    throw new Error(`${this.user} has more tickets than a list of ${PAGES_MAX} pages holds`);
  }

  async search(path: string): Promise<Entry> {
    const started = performance.now();
    const { reply, via } = await this.market.balancer.send({ method: "GET", path }, this.random);
    const read = readReply(reply);
    return this.note({
      op: "search",
      event: undefined,
      key: path,
      quantity: 0,
      transaction: "",
      via,
      started,
      ...read,
      tickets: [],
    });
  }

  /** Sends a command once and notes it. `but`: a gateway to avoid if there is another. */
  async once(command: Command, headers: Record<string, string> = {}, but?: string): Promise<Entry> {
    const started = performance.now();
    const { reply, via } = await this.send(askOf(command, headers), but);
    return this.note({
      ...command,
      via,
      started,
      ...readReply(reply),
      ...numbersOf(reply),
      tickets: ticketsOf(command, reply),
    });
  }

  private async insist(command: Command, headers: Record<string, string> = {}): Promise<Entry> {
    for (let attempt = 1; ; attempt += 1) {
      const entry = await this.once(command, headers);
      const wait =
        entry.outcome === "unknown"
          ? UNKNOWN_PAUSE_MS
          : entry.code === "TRY_AGAIN"
            ? TRY_AGAIN_PAUSE_MS
            : undefined;
      if (wait === undefined || attempt === TRIES) return entry;
      await delay(wait * (0.75 + this.random() / 2));
    }
  }

  private send(ask: Ask, but?: string): Promise<{ reply: Reply; via: string }> {
    return this.market.balancer.send({ ...ask, token: this.token }, this.random, but);
  }

  private note(entry: Omit<Entry, "user" | "ended">): Entry {
    const whole = { ...entry, user: this.user, ended: performance.now() };
    this.market.journal.add(whole);
    return whole;
  }
}

function askOf({ op, event, key, quantity }: Command, headers: Record<string, string>): Ask {
  if (op === "buy")
    return {
      method: "POST",
      path: `/api/events/${event ?? ""}/tickets`,
      json: { quantity },
      headers,
    };
  return { method: "DELETE", path: `/api/tickets/${key}` };
}

type Read = Pick<Entry, "outcome" | "status" | "code" | "answeredTransaction">;

/**
 * Derives the outcome from an answer. Among the 5xx only TRY_AGAIN promises that nothing was done.
 */
export function readReply(reply: Reply): Read {
  if (reply.type === "not-sent")
    return {
      outcome: "refused",
      status: undefined,
      code: "NOT_SENT",
      answeredTransaction: undefined,
    };
  if (reply.type === "no-answer")
    return {
      outcome: "unknown",
      status: undefined,
      code: reply.why,
      answeredTransaction: undefined,
    };
  const { status, json } = reply;
  const code = typeof json?.code === "string" ? json.code : undefined;
  const answeredTransaction =
    typeof json?.transactionId === "string" ? json.transactionId : undefined;
  // A body that cannot be parsed counts as no answer.
  const readable = json !== undefined;
  const outcome: Outcome =
    status < 300 && readable
      ? "ok"
      : status >= 500 && code !== "TRY_AGAIN"
        ? "unknown"
        : readable
          ? "refused"
          : "unknown";
  return { outcome, status, code, answeredTransaction };
}

/** The numbers of a refusal. */
function numbersOf(reply: Reply): Pick<Entry, "available" | "active"> {
  if (reply.type !== "answered" || reply.status !== 409) return {};
  const { available, active } = reply.json ?? {};
  return {
    available: typeof available === "number" ? available : undefined,
    active: typeof active === "number" ? active : undefined,
  };
}

function ticketsOf({ op }: Command, reply: Reply): string[] {
  if (reply.type !== "answered" || reply.status >= 300) return [];
  if (op === "buy") return ((reply.json?.tickets ?? []) as { id: string }[]).map(({ id }) => id);
  return typeof reply.json?.id === "string" ? [reply.json.id] : [];
}
