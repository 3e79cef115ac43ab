// The dashboards as files. monitoring.e2e.test.ts asks a real Prometheus for their figures.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { metricsIn, readDashboards } from "../support/monitoring/dashboards.ts";

describe("dashboards", () => {
  it("have readable queries, in panels that do not overlap", () => {
    for (const { file, panels } of readDashboards()) {
      for (const { title, targets } of panels)
        for (const { expr } of targets)
          assert.deepEqual(metricsIn(expr).broken, false, `${file}: ${title}: ${expr}`);
      const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
      assert.equal(new Set(places).size, panels.length, file);
    }
    assert.deepEqual(
      readDashboards().flatMap(({ rows }) => rows),
      [
        ...["Requests", "Process", "Connections"],
        ...["Promises", "Purchases", "Events", "Booking", "Copies"],
        ...["PostgreSQL", "Redis", "RabbitMQ", "NATS"],
      ],
    );
    for (const { file, panels, templating } of readDashboards()) {
      const names = templating.list.map(({ name }) => name);
      const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      for (const name of names)
        assert.ok(
          exprs.some((expr) => expr.includes(`$${name}`)),
          `${file} uses ${name}`,
        );
      for (const [, name = ""] of exprs.join(" ").matchAll(/\$(\w+)/g))
        assert.ok(names.includes(name), `${file} has the variable ${name}`);
    }
    assert.ok(metricsIn("sum(rate(a_total[1m])").broken, "a missing bracket is detected");
    assert.deepEqual(metricsIn('sum by (x) (rate(a_total{b="c"}[1m])) / b').names, [
      "a_total",
      "b",
    ]);
  });
});
