import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Balancer, openBalancer } from "../chaos/network/balancer.ts";
import type { Ask } from "../chaos/network/http.ts";
import type { World } from "../chaos/test-bed.ts";
import { seededRandom } from "../testing/seeded-random.ts";

export type LoadKind = "searches" | "purchases" | "sign-ins";

/** A steady trickle: an alert must also come when little is sold. */
const PAUSE_MS: Readonly<Record<LoadKind, number>> = {
  searches: 100,
  purchases: 100,
  "sign-ins": 1_000,
};
const CAPACITY = 100_000;

export type Load = { answers: Record<string, number>; stop(): Promise<void> };

/** Lets customers search, buy and sign in through the gateways that are ready, until stopped. */
export async function startLoad(world: World, kinds: readonly LoadKind[]): Promise<Load> {
  const answers: Record<string, number> = {};
  const random = seededRandom(1);
  const event = await world.addEvent(CAPACITY);
  const gateways = world.cluster.of("api").map(({ name, url }) => ({ name, url: url ?? "" }));
  const balancer: Balancer = openBalancer(world.sender, gateways);
  const account = {
    email: `${randomUUID()}@example.com`,
    password: "correct horse battery staple",
  };
  let stopped = false;
  const send = async (kind: string, ask: Ask): Promise<void> => {
    const { reply } = await balancer.send(ask, random);
    const word = `${kind} ${reply.type === "answered" ? reply.status : reply.type}`;
    answers[word] = (answers[word] ?? 0) + 1;
  };
  const asks: Record<LoadKind, () => Ask> = {
    searches: () => ({
      method: "GET",
      path: `/api/events?limit=${1 + Math.floor(random() * 50)}`,
    }),
    purchases: () => ({
      method: "POST",
      path: `/api/events/${event}/tickets`,
      token: world.accessToken(randomUUID()),
      json: { quantity: 1 },
      headers: { "Idempotency-Key": randomUUID() },
    }),
    "sign-ins": () => ({ method: "POST", path: "/api/auth/login", json: account }),
  };
  if (kinds.includes("sign-ins"))
    await send("registration", {
      method: "POST",
      path: "/api/auth/register",
      json: { ...account, name: "Ada" },
    });
  const loops = kinds.map(async (kind) => {
    while (!stopped) {
      await send(kind, asks[kind]());
      await delay(PAUSE_MS[kind]);
    }
  });
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(loops);
      balancer.stop();
    },
  };
}
