import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import { v7 as uuidv7 } from "uuid";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { configOf } from "../../../lib/bus/node-context.ts";
import { callerOf } from "../../../mixins/action.middleware.ts";
import { openDatabase } from "../../../lib/database/pool.ts";
import { openRedis } from "../../../lib/redis/client.ts";
import type { Purchase } from "../../../services/purchasing/worker/ports.ts";

// Two usual ways to sell behind this gateway, tokens and broker, so that only the selling differs.
// Both do less than the worker: no replay, no copies, no queue, and only the transaction has a
// limit. Both book the capacity and write the same ticket rows durably.

type BuyParams = { eventId: string; quantity: number; key: string };
type Sell = (transactionId: string, userId: string, params: BuyParams) => Promise<boolean>;
type Lock = { unlock(): PromiseLike<void> };
type RedlockOptions = { retryCount?: number; retryDelay?: number; retryJitter?: number };
const Redlock = createRequire(import.meta.url)("redlock") as new (
  clients: unknown[],
  options?: RedlockOptions,
) => {
  lock(resource: string, ttlMs: number): PromiseLike<Lock>;
  on(event: string, listener: () => void): void;
};

type Seller = { sell: Sell; close: () => Promise<void> };

// The pool keeps its size: the row lock is the limit, so more connections sell no more.

/** One autocommit statement, which holds the row lock for one commit. */
const SELL = `
  WITH taken AS (
    UPDATE event SET capacity = capacity - $5::integer WHERE id = $2 AND capacity >= $5::integer
    RETURNING id, date)
  INSERT INTO event_tickets
    (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
  SELECT $1, taken.id, $3, taken.date, $4, 1, clock_timestamp() FROM taken RETURNING id`;

function sellByStatement(databaseUrl: string): Seller {
  const database = openDatabase(databaseUrl, "long");
  const sell: Sell = async (transactionId, userId, { eventId, quantity }) => {
    const values = [uuidv7(), eventId, userId, Buffer.from(transactionId, "hex"), quantity];
    return (await database.query({ name: "baseline-sell", text: SELL, values })).length === 1;
  };
  return { sell, close: () => database.close() };
}

/** A transaction: takes the row lock with the place, checks the limit, writes ticket and ledger. */
function sellByTransaction(databaseUrl: string): Seller {
  const database = openDatabase(databaseUrl, "long");
  const sell: Sell = (transactionId, userId, { eventId, quantity }) =>
    database.transaction(async (connection) => {
      const id = Buffer.from(transactionId, "hex");
      const [taken] = await connection.query<{ date: string }>({
        name: "baseline-take",
        text:
          "UPDATE event SET capacity = capacity - $2 WHERE id = $1 AND capacity >= $2 " +
          "RETURNING date::text AS date",
        values: [eventId, quantity],
      });
      if (taken === undefined) return false;
      await connection.query({
        name: "baseline-limit",
        text:
          "SELECT count(*) FROM event_tickets " +
          "WHERE event_id = $1 AND user_id = $2 AND cancelled_at IS NULL",
        values: [eventId, userId],
      });
      await connection.query({
        name: "baseline-ticket",
        text: `
          INSERT INTO event_tickets
            (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
          VALUES ($1, $2, $3, $4, $5, 1, clock_timestamp())`,
        values: [uuidv7(), eventId, userId, taken.date, id],
      });
      await connection.query({
        name: "baseline-ledger",
        text: `
          INSERT INTO capacity_ledger
            (transaction_id, event_id, user_id, quantity, applied_at)
          VALUES ($1, $2, $3, $4, clock_timestamp())`,
        values: [id, eventId, userId, -quantity],
      });
      return true;
    });
  return { sell, close: () => database.close() };
}

function purchasingBy(open: (broker: ServiceBroker) => Seller): ServiceSchema {
  let seller: Seller | undefined;
  return {
    name: "purchasing",
    created() {
      seller = open(this.broker);
    },
    actions: {
      buy: {
        auth: "customer",
        async handler(ctx: Context<BuyParams>): Promise<Answer<Purchase>> {
          const { eventId, quantity, key } = ctx.params;
          const { userId } = callerOf(ctx);
          const transactionId = createHmac("sha512", configOf(ctx.broker).transactionSecret)
            .update(`buy|${userId}|${eventId}|${key}`)
            .digest("hex");
          const sold = await seller?.sell(transactionId, userId, ctx.params);
          if (sold !== true) return refused("EVENT_SOLD_OUT", { available: 0 });
          return accepted({
            transactionId,
            status: "completed",
            eventId,
            quantity,
            tickets: [],
            replayed: false,
          });
        },
      },
    },
    async stopped() {
      await seller?.close();
    },
  };
}

/** A row lock on the event per purchase: in a transaction, or in one statement. */
export function rowLockPurchasing(
  databaseUrl: string,
  form: "transaction" | "statement",
): ServiceSchema {
  return purchasingBy(() =>
    form === "transaction" ? sellByTransaction(databaseUrl) : sellByStatement(databaseUrl),
  );
}

/** A Redlock on the event per purchase and one statement. Without the lock: TRY_AGAIN. */
export function redlockPurchasing(
  databaseUrl: string,
  options: RedlockOptions | undefined,
): ServiceSchema {
  return purchasingBy((broker) => {
    const { sell, close } = sellByStatement(databaseUrl);
    const clients = configOf(broker).lockUrls.map((url) => openRedis(url, () => undefined));
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
    return {
      async sell(transactionId, userId, params) {
        try {
          return await locked(transactionId, userId, params);
        } catch (error) {
          if ((error as Error).name === "LockError") return false;
          throw error;
        }
      },
      async close() {
        for (const client of clients) client.disconnect();
        await close();
      },
    };
  });
}
