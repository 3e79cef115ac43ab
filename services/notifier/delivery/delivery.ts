import type { Database } from "../../../lib/database/pool.ts";
import type { Log } from "../../../lib/queue/index.ts";
import type { Mail, Notification } from "../notification.ts";
import { type Breaker, retryDelayS } from "./back-off.ts";
import { CLAIM, CLAIM_S, END, POSTPONE } from "./notification.sql.ts";
import { CONNECTIONS_MAX, judge, type MailTransport } from "./transport.ts";

/** Gives a mail up, as RFC 5321 (4.5.4.1) advises: after four to five days. */
const GIVE_UP_S = 4 * 86_400;

/** What became of a notification. */
export type Outcome = "sent" | "skipped" | "retried" | "dead";
/** A mail to send, or why there is none. */
export type Composed = { mail: Mail } | { skip: string };

export type DeliveryOptions = {
  database: Database;
  transport: MailTransport;
  breaker: Breaker;
  log: Log;
  compose: (notification: Notification) => Promise<Composed>;
  /** Writes a notification per holder of the event. */
  fanOut: (notification: Notification) => Promise<void>;
  note: (kind: string, outcome: Outcome) => void;
  giveUpS?: number;
};

export type Delivery = {
  /**
   * Sends what is due of these, a few at once, until `signal` is aborted or the server fails. What
   * it leaves stays due. Rejects while PostgreSQL is down.
   */
  deliver(keys: readonly string[], signal: AbortSignal): Promise<void>;
};

/**
 * Sends each notification once. One notifier claims it, and marks it when the SMTP server has
 * accepted it. A notifier that dies between both sends it again, with the same Message-ID: SMTP
 * has no transactions. See ADR-0089.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { database, transport, breaker, log, compose, fanOut, note } = options;
  const { giveUpS = GIVE_UP_S } = options;
  /** Sent here, and not marked because PostgreSQL was down. Never sent again by this node. */
  const unmarked = new Set<string>();

  const end = async (key: string, state: string, reason: string | null): Promise<void> => {
    await database.query({ ...END, values: [key, state, reason] });
  };

  const markSent = async (key: string): Promise<void> => {
    unmarked.add(key);
    await end(key, "sent", null);
    unmarked.delete(key);
  };

  const send = async (notification: Notification, mail: Mail): Promise<Outcome> => {
    const { key, kind, attempts, ageS } = notification;
    try {
      await transport.send(mail);
    } catch (error) {
      const { retry, reason } = judge(error);
      if (retry === "server") {
        if (!breaker.isProbing()) log.warn(`${transport.name} takes no mail: ${reason}`);
        breaker.failed();
      }
      if (retry === "never" || ageS > giveUpS) {
        log.warn(`Notification ${key} (${kind}) is a dead letter: ${reason}`);
        await end(key, "dead", reason);
        return "dead";
      }
      await database.query({ ...POSTPONE, values: [key, retryDelayS(attempts), reason] });
      return "retried";
    }
    if (breaker.isProbing()) log.info(`${transport.name} takes mail again`);
    breaker.succeeded();
    await markSent(key);
    return "sent";
  };

  const deliverOne = async (key: string): Promise<void> => {
    if (unmarked.has(key)) return markSent(key);
    const [notification] = await database.query<Notification>({ ...CLAIM, values: [key, CLAIM_S] });
    if (notification === undefined) return;
    const { kind, accountId, eventId } = notification;
    if (accountId === null && eventId !== null) {
      await fanOut(notification);
      return end(key, "sent", null);
    }
    const composed = await compose(notification);
    if ("skip" in composed) {
      await end(key, "skipped", composed.skip);
      note(kind, "skipped");
    } else note(kind, await send(notification, composed.mail));
  };

  return {
    async deliver(keys, signal) {
      const left = [...keys];
      const lane = async (): Promise<void> => {
        while (!signal.aborted && !breaker.isOpen()) {
          const key = left.shift();
          if (key === undefined) return;
          await deliverOne(key);
        }
      };
      const lanes = breaker.isProbing() ? 1 : CONNECTIONS_MAX;
      await Promise.all(Array.from({ length: lanes }, lane));
    },
  };
}
