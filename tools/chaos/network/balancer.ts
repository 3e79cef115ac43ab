import { setTimeout as delay } from "node:timers/promises";
import { type Random, pick } from "../../testing/seeded-random.ts";
import type { Ask, Reply, Sender } from "./http.ts";

/** Interval of readiness probes, as in many load balancers. */
const PROBE_EVERY_MS = 200;
const PROBE_WITHIN_MS = 1_000;
const NOBODY_PAUSE_MS = 50;
const NOBODY_FOR_MS = 2_000;

export type Gateway = { name: string; url: string };

export type Balancer = {
  /**
   * Sends to a gateway that is ready, avoiding `but` if there is another. Only a request whose
   * connection was refused goes to another gateway. `not-sent`: no gateway accepted it within two
   * seconds.
   */
  send(ask: Ask, random: Random, but?: string): Promise<{ reply: Reply; via: string }>;
  stop(): void;
};

/** Acts as a load balancer in front of all gateways. */
export function openBalancer(sender: Sender, gateways: readonly Gateway[]): Balancer {
  const down = new Set<string>();
  let stopped = false;
  const probe = async ({ name, url }: Gateway): Promise<void> => {
    while (!stopped) {
      const probing = sender.send(url, { method: "GET", path: "/readyz" });
      const reply = await Promise.race([
        probing,
        delay(PROBE_WITHIN_MS, undefined, { ref: false }),
      ]);
      if (reply?.type === "answered" && reply.status === 200) down.delete(name);
      else down.add(name);
      await delay(PROBE_EVERY_MS, undefined, { ref: false });
    }
  };
  for (const gateway of gateways) void probe(gateway);

  return {
    async send(ask, random, but) {
      const deadline = performance.now() + NOBODY_FOR_MS;
      for (;;) {
        const ready = gateways.filter(({ name }) => !down.has(name));
        const wanted = ready.filter(({ name }) => name !== but);
        if (ready.length > 0) {
          const { name, url } = pick(wanted.length > 0 ? wanted : ready, random);
          const reply = await sender.send(url, ask);
          if (reply.type !== "not-sent") return { reply, via: name };
          down.add(name);
        } else await delay(NOBODY_PAUSE_MS);
        if (performance.now() > deadline) return { reply: { type: "not-sent" }, via: "none" };
      }
    },
    stop: () => (stopped = true),
  };
}
