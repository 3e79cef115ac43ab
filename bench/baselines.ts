import { createRequire } from "node:module";
import type { Context, ServiceSchema } from "moleculer";
import { v7 as uuidv7 } from "uuid";
import { accepted, type Answer, refused } from "../domain/refusal.ts";
import { callerOf } from "../mixins/authorisation.ts";
import { openDatabase } from "../mixins/database.ts";
import { openRedis } from "../mixins/redis.ts";
import type { Purchase } from "../services/purchasing/ports.ts";
import type { PurchasingDependencies } from "../services/purchasing/purchasing.service.ts";
import { purchaseId } from "../services/purchasing/transaction-id.ts";

/**
 * The two ways to sell that everyone else uses, behind our own gateway, tokens and broker, so that only the way of selling differs. Both get less to
 * do than the worker: no limit per customer, no replay, no copies, no queue. Both book the capacity and write the same ticket rows, durably.
 */
type BuyParams = { eventId: string; quantity: number; key: string };
type Sell = (transactionId: string, userId: string, params: BuyParams) => Promise<boolean>;
type Lock = { unlock(): PromiseLike<void> };
type RedlockOptions = { retryCount?: number; retryDelay?: number; retryJitter?: number };
const Redlock = createRequire(import.meta.url)("redlock") as new (
  clients: unknown[],
  options?: RedlockOptions,
) => { lock(resource: string, ttlMs: number): PromiseLike<Lock>; on(event: string, listener: () => void): void };

/** One autocommit statement: the row lock on the event lasts for one commit, the shortest there is. */
const SELL = `
  WITH taken AS (UPDATE event SET capacity = capacity - $5::integer WHERE id = $2 AND capacity >= $5::integer RETURNING id, date)
  INSERT INTO event_tickets (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
  SELECT $1, taken.id, $3, taken.date, $4, 1, clock_timestamp() FROM taken RETURNING id`;

function sellBySql(amount: number, databaseUrl: string): { sell: Sell; close: () => Promise<void> } {
  const database = openDatabase(databaseUrl, "long");
  const sell: Sell = async (transactionId, userId, { eventId }) => {
    const values = [uuidv7(), eventId, userId, Buffer.from(transactionId, "hex"), amount];
    return (await database.query({ name: "baseline-sell", text: SELL, values })).length === 1;
  };
  return { sell, close: () => database.close() };
}

function purchasingBy(dependencies: PurchasingDependencies, sell: Sell, close: () => Promise<void>): ServiceSchema {
  return {
    name: "purchasing",
    actions: {
      buy: {
        auth: "customer",
        async handler(ctx: Context<BuyParams>): Promise<Answer<Purchase>> {
          const { eventId, quantity, key } = ctx.params;
          const { userId } = callerOf(ctx);
          const transactionId = purchaseId(dependencies.transactionSecret, userId, eventId, key);
          const sold = await sell(transactionId, userId, ctx.params);
          if (!sold) return refused("EVENT_SOLD_OUT", { available: 0 });
          return accepted({ transactionId, status: "completed", eventId, quantity, tickets: [], replayed: false });
        },
      },
    },
    stopped: close,
  };
}

/** `UPDATE … SET capacity = capacity - 1` per purchase. */
export function rowLockPurchasing(databaseUrl: string) {
  return (dependencies: PurchasingDependencies): ServiceSchema => {
    const { sell, close } = sellBySql(1, databaseUrl);
    return purchasingBy(dependencies, sell, close);
  };
}

/** A Redlock on the event per purchase, and the same statement under it. A lock not had is TRY_AGAIN. */
export function redlockPurchasing(databaseUrl: string, options: RedlockOptions | undefined) {
  return (dependencies: PurchasingDependencies): ServiceSchema => {
    const { sell, close } = sellBySql(1, databaseUrl);
    const clients = dependencies.lockUrls.map((url) => openRedis(url, () => undefined));
    const redlock = new Redlock(clients, options);
    redlock.on("clientError", () => undefined);
    const locked: Sell = async (transactionId, userId, params) => {
      const lock = await redlock.lock(`lock:event:{${params.eventId}}`, 3_000);
      try {
        return await sell(transactionId, userId, params);
      } finally {
        await lock.unlock().then(undefined, () => undefined);
      }
    };
    const orTryAgain: Sell = async (transactionId, userId, params) => {
      try {
        return await locked(transactionId, userId, params);
      } catch (error) {
        if ((error as Error).name === "LockError") return false;
        throw error;
      }
    };
    return purchasingBy(dependencies, orTryAgain, async () => {
      for (const client of clients) client.disconnect();
      await close();
    });
  };
}
