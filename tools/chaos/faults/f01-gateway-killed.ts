import type { Fault } from "../fault.ts";

/**
 * Kills a gateway. Only its requests in flight have an unknown outcome; the other gateway serves
 * on.
 */
export const fault: Fault = {
  id: "F1",
  title: "kill -9 a gateway",
  async run({ cluster, phase, forSeconds, market, expect, note }) {
    const gateway = cluster.node("api-1");
    const beforeMs = performance.now();
    await phase("api-1 is killed", async () => {
      gateway.kill("SIGKILL");
      await gateway.ended();
    });
    const deadMs = performance.now();
    await phase("one gateway less", () => forSeconds(3));
    await phase("it comes back", () => gateway.start());
    const unknown = market.journal.entries.filter(
      ({ outcome, ended }) => outcome === "unknown" && ended >= beforeMs,
    );
    const inFlight = unknown.filter(({ via, started }) => via === "api-1" && started <= deadMs);
    expect(
      unknown.length === inFlight.length,
      `${unknown.length - inFlight.length} unknown outcomes that were not in flight at the gateway`,
    );
    note(`${inFlight.length} in flight`);
  },
};
