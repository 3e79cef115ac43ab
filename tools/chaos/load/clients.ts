import { setTimeout as delay } from "node:timers/promises";
import { type Random, pick, randomId, seededRandom } from "../../testing/seeded-random.ts";
import { Customer, type Market } from "./customer.ts";
import type { Entry } from "./journal.ts";

export type LoadOptions = {
  seed: number;
  clients: number;
  /** Average time between two requests of one client. */
  thinkMs: number;
  /** The first one is the hot event, which gets most purchases. */
  events: readonly string[];
};

export type Load = {
  /** Sends no new requests. Resolves when those in flight have ended. */
  stop(): Promise<void>;
  /** While on, clients send nothing. Resolves when requests in flight have ended. */
  pause(on: boolean): Promise<void>;
};

/** A client becomes a new customer after this number of requests. */
const ONE_PERSON = 30;
const HOT_SHARE = 0.65;
const SEARCHES = [
  "/api/events?limit=20",
  "/api/events?location=Berlin&limit=20",
  "/api/events?name=chaos&limit=20",
  "/api/events?type=concert&limit=10",
];

/** Clients without think time, for as long as the work takes. */
export async function flood<T>(
  { market, events, random }: { market: Market; events: readonly string[]; random: Random },
  clients: number,
  work: () => Promise<T>,
): Promise<T> {
  const seed = Math.floor(random() * 1_000_000);
  const load = startLoad(market, { seed, clients, thinkMs: 0, events });
  try {
    return await work();
  } finally {
    await load.stop();
  }
}

/** Clients buy, repeat, cancel, list and search at random. The same seed makes the same choices. */
export function startLoad(market: Market, options: LoadOptions): Load {
  let stopped = false;
  let paused = false;
  let underWay = 0;
  const clients = Array.from({ length: options.clients }, async (_, number) => {
    const random = seededRandom(options.seed * 1_009 + number);
    while (!stopped) {
      const person = new Person(market, random, options.events);
      for (let request = 0; request < ONE_PERSON && !stopped; request += 1) {
        if (!paused) {
          underWay += 1;
          await person.act();
          underWay -= 1;
        }
        await delay(2 * options.thinkMs * random());
      }
    }
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
    async pause(on) {
      paused = on;
      while (on && underWay > 0) await delay(10);
    },
  };
}

class Person {
  private readonly customer: Customer;
  private readonly random: Random;
  private readonly events: readonly string[];
  private readonly purchases: { event: string; quantity: number; key: string }[] = [];
  private readonly active: { event: string; ticket: string }[] = [];
  private readonly cancelled: { event: string; ticket: string }[] = [];

  constructor(market: Market, random: Random, events: readonly string[]) {
    this.customer = new Customer(market, randomId(random), random);
    this.random = random;
    this.events = events;
  }

  async act(): Promise<void> {
    const chance = this.random();
    if (chance < 0.5) await this.buy();
    else if (chance < 0.6) await this.buyAgain();
    else if (chance < 0.72) await this.cancel();
    else if (chance < 0.86) await this.customer.list();
    else
      await this.customer.search(
        this.random() < 0.3
          ? `/api/events/${pick(this.events, this.random)}`
          : pick(SEARCHES, this.random),
      );
  }

  private async buy(): Promise<void> {
    const event =
      this.random() < HOT_SHARE ? (this.events[0] ?? "") : pick(this.events, this.random);
    const purchase = {
      event,
      quantity: 1 + Math.floor(this.random() * 3),
      key: randomId(this.random),
    };
    this.purchases.push(purchase);
    this.keep(await this.customer.buy(event, purchase.quantity, purchase.key));
  }

  /** Repeats a used key: returns the same tickets, or sells if the first try failed. */
  private async buyAgain(): Promise<void> {
    if (this.purchases.length === 0) return this.buy();
    const { event, quantity, key } = pick(this.purchases, this.random);
    this.keep(await this.customer.buy(event, quantity, key));
  }

  private async cancel(): Promise<void> {
    const again = this.cancelled.length > 0 && this.random() < 0.15;
    const list = again ? this.cancelled : this.active;
    if (list.length === 0) return this.buy();
    const one = pick(list, this.random);
    const entry = await this.customer.cancel(one.event, one.ticket);
    if (again || entry.outcome !== "ok") return;
    this.active.splice(this.active.indexOf(one), 1);
    this.cancelled.push(one);
  }

  private keep({ event, outcome, tickets }: Entry): void {
    if (outcome !== "ok") return;
    const known = new Set([...this.active, ...this.cancelled].map(({ ticket }) => ticket));
    for (const ticket of tickets)
      if (!known.has(ticket)) this.active.push({ event: event ?? "", ticket });
  }
}
