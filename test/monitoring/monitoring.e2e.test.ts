// A real Prometheus scrapes a real engine under a short load. Every panel and rule finds its
// figures, our metrics keep Prometheus' conventions, and a stopped ledger raises its alert.
// The engine answers the paths of the manifests' probes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { processEnvironment } from "../../config/index.ts";
import type { RunningNode } from "../../main.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { ROOT } from "../../tools/root.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { chosenAll, metricsIn, readDashboards } from "../support/monitoring/dashboards.ts";
import { type Prometheus, startPrometheus } from "../../tools/monitoring/prometheus.ts";
import { CLUSTER_RULES, ruleFiles, rulesOf } from "../../tools/monitoring/rule-files.ts";
import { providePrometheus } from "../support/monitoring/rules.ts";
import { waitFor } from "../support/wait-for.ts";

const programs = await providePrometheus();
const skip = typeof programs === "string" ? programs : false;
const { prometheus: program, promtool } =
  typeof programs === "string" ? { prometheus: "", promtool: "" } : programs;
const PURCHASES = 40;

describe("monitoring", { skip }, () => {
  let engine: Engine;
  let ledger: RunningNode;
  let prometheus: Prometheus;
  let folder: string;
  let vhost: string;
  let health: string;
  let scraped: string[];

  before(async () => {
    const [healthPort, metricsPort, ledgerPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    engine = await startEngine({
      SERVICES: "api,auth,catalog,purchasing,notifier",
      HEALTH_PORT: String(healthPort),
      METRICS_PORT: String(metricsPort),
    });
    ledger = await engine.startNode({
      SERVICES: "ledger",
      HEALTH_PORT: "",
      METRICS_PORT: String(ledgerPort),
    });
    health = `http://127.0.0.1:${healthPort}`;
    scraped = [metricsPort, ledgerPort].map((port) => `http://127.0.0.1:${port}/metrics`);
    vhost = new URL(engine.config.amqpUrl ?? "").pathname.slice(1);
    const rabbitmq =
      processEnvironment().RABBITMQ_METRICS_URL ?? assert.fail("RABBITMQ_METRICS_URL is not set");
    folder = mkdtempSync(join(tmpdir(), "boxoffice-prometheus-"));
    prometheus = await startPrometheus({
      program,
      folder,
      intervalS: 1,
      speed: 60,
      targets: [
        ...scraped.map((url) => ({ job: "boxoffice", url })),
        {
          job: "rabbitmq",
          url: `${rabbitmq}/detailed?family=queue_coarse_metrics&family=queue_consumer_count`,
        },
        { job: "rabbitmq-node", url: rabbitmq },
      ],
    });
    // Before the load, so that rates see its beginning.
    await waitFor(async () => (await prometheus.query('up{job="boxoffice"} == 1')).length === 2, {
      withinMs: 30_000,
      what: "Both nodes are scraped",
    });
    await engine.database.query({ text: "INSERT INTO backup_run (name) VALUES ('a backup')" });
    await engine.database.query({ text: "SELECT pg_switch_wal()" });
    await load();
  });
  after(async () => {
    await prometheus.stop();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function load(): Promise<void> {
    const eventId = await engine.addEvent({ capacity: PURCHASES - 1 });
    const buy = (token: string, key: string): Promise<Response> =>
      fetch(`${engine.url}/api/events/${eventId}/tickets`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${token}`,
          "Content-Type": "application/json",
          "Idempotency-Key": key,
        },
        body: '{"quantity":1}',
      });
    const statuses = await Promise.all(
      Array.from({ length: PURCHASES }, async () => {
        const [token, key] = [engine.accessToken(), randomUUID()];
        return waitFor(async () => {
          const { status } = await buy(token, key);
          return status < 500 && status;
        });
      }),
    );
    assert.equal(statuses.filter((status) => status === 201).length, PURCHASES - 1);
    await fetch(`${engine.url}/api/tickets/${randomUUID()}`, {
      headers: { Authorization: `Bearer ${engine.accessToken()}` },
    });
    for (let page = 0; page < 5; page += 1)
      await fetch(`${engine.url}/api/events?limit=${page + 1}`);
  }
  const sum = async (expr: string): Promise<number> =>
    Number((await prometheus.query(`sum(${expr})`))[0]?.value[1] ?? Number.NaN);

  it("count what was sold, answered, booked and checked", async () => {
    const is = (expr: string, expected: number): Promise<true> =>
      waitFor(async () => (await sum(expr)) === expected, {
        withinMs: 20_000,
        what: `${expr} is ${expected}`,
      });
    await is('boxoffice_purchase_outcomes_total{command="buy",outcome="ok"}', PURCHASES - 1);
    await is('boxoffice_purchase_outcomes_total{command="buy",outcome="event_sold_out"}', 1);
    // A busy machine refuses a purchase now and then, and the customer repeats it.
    const answers = "sum(boxoffice_purchase_outcomes_total)";
    await is(`sum(boxoffice_purchase_duration_seconds_count) - ${answers}`, 0);
    for (const name of ["purchase_duration_seconds_count", "batch_commands_sum"])
      assert.ok((await sum(`boxoffice_${name}`)) >= PURCHASES, name);
    const purchases = 'route="/api/events/{eventId}/tickets",method="POST",status="201"';
    await is(`boxoffice_http_requests_total{${purchases}}`, PURCHASES - 1);
    await is('boxoffice_http_request_duration_seconds_count{route="/api/events"}', 5);
    await is("boxoffice_ledger_applied_rows_total", PURCHASES - 1);
    await is("boxoffice_outbox_pending_rows", 0);
    await waitFor(async () => (await sum("boxoffice_checked_events_total")) >= 1, {
      withinMs: 20_000,
      what: "The event is counted through",
    });
    await is("boxoffice_oversold_events_total", 0);
    await is("boxoffice_diverging_events_total", 0);
  });

  it("detect an oversold event and tables that disagree", async () => {
    const eventId = await engine.addEvent({ capacity: 1 });
    const buy = { eventId, quantity: 1, key: randomUUID() };
    await engine.database.query({
      text: `
        INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), $1, gen_random_uuid(), current_date,
          decode(md5(number::text), 'hex'), 1, now()
        FROM generate_series(1, 2) AS number`,
      values: [eventId],
    });
    const token = engine.accessToken();
    const answer = await fetch(`${engine.url}/api/events/${eventId}/tickets`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/json",
        "Idempotency-Key": buy.key,
      },
      body: '{"quantity":1}',
    });
    assert.equal(answer.status, 201, "the worker does not know the rows above");
    for (const name of ["boxoffice_oversold_events_total", "boxoffice_diverging_events_total"])
      await waitFor(async () => (await sum(name)) === 1, {
        withinMs: 20_000,
        what: `${name} says so`,
      });
  });

  it("have figures in every panel, and every metric that a rule reads", async () => {
    const panels = readDashboards().flatMap(({ file, panels: ofFile }) =>
      ofFile.flatMap(({ title, targets }) =>
        targets.map(({ expr }) => ({ what: `${file}: ${title}`, expr: chosenAll(expr) })),
      ),
    );
    assert.ok(panels.length > 40, `${panels.length} queries`);
    for (const { what, expr } of panels)
      await waitFor(async () => (await prometheus.query(expr)).length > 0, {
        withinMs: 30_000,
        what: `${what} shows ${expr}`,
      });
    const known = new Set(await prometheus.metricNames());
    const read = rulesOf(...ruleFiles().filter((file) => file !== CLUSTER_RULES)).flatMap(
      ({ expr }) => metricsIn(expr).names,
    );
    // Windows of days have figures after minutes too. An alert that never fired has a series too.
    const missing = read.filter((name) => !known.has(name) && !name.startsWith("boxoffice:"));
    assert.deepEqual([...new Set(missing)].sort(), [
      // Barman's plugin of CloudNativePG has it, which runs in a cluster only.
      "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
      // A gateway without TLS has none; test/security/security-tls.e2e.test.ts looks at one.
      "boxoffice_certificate_expiry_timestamp_seconds",
    ]);
  });

  it("keep Prometheus' conventions, and promtool reports a planted violation", async () => {
    const text = (await Promise.all(scraped.map(async (url) => (await fetch(url)).text()))).join(
      "\n",
    );
    const ours = [
      ...new Set(text.split("\n").filter((line) => /^(?:# (?:HELP|TYPE) )?boxoffice_/.test(line))),
    ];
    const byName = Map.groupBy(
      ours,
      (line) => /boxoffice_\w+?(?=_bucket|_sum|_count|\{| |$)/.exec(line)?.[0] ?? "",
    );
    const check = (lines: string): { ok: boolean; output: string } => {
      const { status, stderr, stdout } = spawnSync(promtool, ["check", "metrics"], {
        input: lines,
        encoding: "utf8",
      });
      return { ok: status === 0, output: stdout + stderr };
    };
    const whole = `${[...byName.values()].flat().join("\n")}\n`;
    assert.ok(byName.size > 25, `${byName.size} metrics`);
    assert.deepEqual(check(whole), { ok: true, output: "" });
    assert.ok(
      !check(whole.replaceAll("boxoffice_mailbox_full_total", "boxoffice_mailboxFullMilliseconds"))
        .ok,
      "promtool reports a violation",
    );
  });

  it("include the paths of the manifests' probes", async () => {
    type Container = Record<string, { httpGet?: { path: string; port: string } } | undefined>;
    const node = parse(readFileSync(join(ROOT, "kubernetes/base/engine/node.yaml"), "utf8")) as {
      spec: { template: { spec: { containers: Container[] } } };
    };
    const [container = {}] = node.spec.template.spec.containers;
    const probes = ["startupProbe", "livenessProbe", "readinessProbe"].map(
      (probe) => container[probe]?.httpGet,
    );
    assert.ok(probes.every((probe) => probe?.port === "health"));
    for (const probe of probes)
      assert.equal((await fetch(`${health}${probe?.path}`)).status, 200, probe?.path);
    assert.equal((await fetch(`${health}/nothing`)).status, 404, "an unknown path is no 200");
  });

  it("fire the alert when the queue has no consumer", async () => {
    const firing = async (): Promise<boolean> =>
      (await prometheus.alerts()).some(
        ({ labels, state }) =>
          labels.alertname === "QueueWithoutConsumer" &&
          labels.vhost === vhost &&
          state === "firing",
      );
    await waitFor(
      async () =>
        (await sum(
          `rabbitmq_detailed_queue_consumers{queue="ticket-transactions",vhost="${vhost}"}`,
        )) === 1,
      {
        withinMs: 30_000,
        what: "One consumer is seen",
      },
    );
    assert.equal(await firing(), false, "while it has one");
    await ledger.stop();
    await waitFor(async () => await firing(), {
      withinMs: 60_000,
      what: "QueueWithoutConsumer fires",
    });
  });
});
