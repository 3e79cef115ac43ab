// What a scrape shows: promises from the first second, and no silence behind a frozen server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMetrics } from "../../lib/observability/metrics.ts";
import {
  READ_SECONDS_MAX,
  registerServiceLevels,
} from "../../services/api/handling/service-levels.ts";

const figure = (text: string, series: string): number | undefined => {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
};
const counted = async (metrics: ReturnType<typeof createMetrics>, slo: string) => {
  const text = await metrics.text();
  return [
    figure(text, `boxoffice_slo_requests_total{slo="${slo}"}`),
    figure(text, `boxoffice_slo_bad_requests_total{slo="${slo}"}`),
  ];
};

describe("service levels", () => {
  it("have their series before the first request", async () => {
    const metrics = createMetrics();
    registerServiceLevels(metrics);
    for (const slo of ["purchases", "reads", "sign-in"])
      assert.deepEqual(await counted(metrics, slo), [0, 0], slo);
  });

  it("count a 5xx and a slow read as bad, no client over its limit, and refusals as good", async () => {
    const metrics = createMetrics();
    const promise = registerServiceLevels(metrics);
    const read = promise("GET", "/api/events") ?? assert.fail("searches are promised");
    read(200, READ_SECONDS_MAX);
    read(200, READ_SECONDS_MAX + 0.001);
    read(503, 0.1);
    read(429, 0.1);
    read(404, 0.1);
    assert.deepEqual(await counted(metrics, "reads"), [4, 2]);
    const buy = promise("POST", "/api/events/{eventId}/tickets") ?? assert.fail("purchases are");
    buy(201, 2);
    buy(409, 0.1);
    buy(503, 0.1);
    assert.deepEqual(await counted(metrics, "purchases"), [3, 1]);
    const signIn = promise("POST", "/api/auth/login") ?? assert.fail("sign-ins are");
    signIn(401, 0.5);
    signIn(500, 0.5);
    assert.deepEqual(await counted(metrics, "sign-in"), [2, 1]);
    assert.equal(promise("GET", "/api/events/{eventId}/availability"), undefined, "a stream");
    assert.equal(promise("POST", "refused early"), undefined);
  });
});

describe("a scrape", () => {
  it("leaves out what cannot be read in time, and shows the rest", async () => {
    const metrics = createMetrics();
    const never = Promise.withResolvers<never>();
    metrics.read("boxoffice_frozen", "Never comes.", "gauge", () => never.promise);
    metrics.read("boxoffice_broken", "Fails.", "gauge", () => Promise.reject(new Error("no")));
    metrics.read("boxoffice_fine", "Comes.", "gauge", () => [{ value: 7 }]);
    const text = await metrics.text();
    assert.equal(figure(text, "boxoffice_fine"), 7);
    assert.match(text, /^# boxoffice_frozen cannot be read now$/m);
    assert.match(text, /^# boxoffice_broken cannot be read now$/m);
  });
});
