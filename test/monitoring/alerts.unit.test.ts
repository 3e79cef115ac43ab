// Each alert rule fires on its figures, is quiet on others, and has what the person on call needs.
// A rule with another threshold, without a part or without a runbook fails these tests.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { ROOT } from "../../tools/root.ts";
import { alertmanagerConfiguration } from "../../tools/monitoring/alertmanager.ts";
import { MONITORING, type Rule, ruleFiles, rulesOf } from "../../tools/monitoring/rule-files.ts";
import { ALERT_CASES } from "../support/monitoring/alert-cases.ts";
import {
  alertProblems,
  readRunbooks,
  type Runbooks,
  strangeLooks,
  unknownObjects,
} from "../support/monitoring/runbooks.ts";
import {
  bareRules,
  promtool,
  providePrometheus,
  writeAlertTests,
} from "../support/monitoring/rules.ts";

const programs = await providePrometheus();
const skip = typeof programs === "string" ? programs : false;
const program = typeof programs === "string" ? "" : programs.promtool;
const alerts = rulesOf().filter(({ alert }) => alert !== undefined);
const names = alerts.map(({ alert = "" }) => alert);

describe("alerts", { skip }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-alerts-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("and the configuration are accepted by Prometheus", async () => {
    const files = ruleFiles().map((file) => join(MONITORING, "rules", file));
    const { ok, output } = await promtool(program, "check", "rules", ...files);
    assert.ok(ok && /SUCCESS: \d+ rules found/.test(output), output);
    for (const file of ["prometheus.yml", "compose.yml"]) {
      // Debian's Prometheus is built without Kubernetes discovery.
      const text = readFileSync(join(MONITORING, file), "utf8").replaceAll(
        /kubernetes_sd_configs:.*/g,
        "static_configs: []",
      );
      writeFileSync(join(folder, file), text);
      const checked = await promtool(
        program,
        "check",
        "config",
        "--syntax-only",
        join(folder, file),
      );
      assert.ok(checked.ok, checked.output);
    }
  });

  it("fire on their figures only", async () => {
    assert.deepEqual(
      [...new Set(ALERT_CASES.map(({ alert }) => alert))],
      names,
      "a case for each alert, in their order",
    );
    const tests = writeAlertTests(folder, bareRules(), ALERT_CASES);
    const { ok, output } = await promtool(program, "test", "rules", ...tests);
    assert.ok(ok, output);
  });

  it("fail their test with another threshold, without figures, or without `for`", async () => {
    for (const [alert, member, from, to] of [
      ["OutboxOld", "expr", "> 60", "> 100"],
      ["Oversold", "expr", "oversold_events_total", "oversold_total"],
      ["ErrorBudgetBurnsSlowly", "expr", " > 6 * 0.001", " > 4 * 0.001"],
      ["ErrorBudgetBurnsFast", "expr", " and boxoffice:slo_errors:increase1h > 10", ""],
      ["NodeDisconnected", "expr", / unless .*/g, ""],
      ["NoBackup", "for", "26h", "28h"],
    ] as const) {
      const rules = bareRules((rule) => {
        if (rule.alert !== alert) return rule;
        const changed = rule[member]?.replaceAll(from, to);
        assert.notEqual(changed, rule[member], `${alert} has ${from.toString()}`);
        return { ...rule, [member]: changed };
      });
      const cases = ALERT_CASES.filter((one) => one.alert === alert);
      const tests = writeAlertTests(folder, rules, cases);
      const { ok, output } = await promtool(program, "test", "rules", ...tests);
      assert.ok(!ok && output.includes("FAILED"), `${alert} with ${to}: ${output}`);
    }
  });
});

describe("the person on call", () => {
  const runbooks = readRunbooks();
  const problems = (changed: Partial<Rule>, books: Runbooks = runbooks): string[] =>
    alerts.flatMap((rule) =>
      alertProblems(rule.alert === "NodeDown" ? { ...rule, ...changed } : rule, books),
    );

  it("gets a severity, a description with value and instance, and a runbook of five parts", () => {
    assert.ok(alerts.length >= 45, `${alerts.length} alerts`);
    assert.deepEqual(problems({}), []);
    assert.deepEqual([...runbooks.keys()].toSorted(), names.toSorted(), "no runbook without alert");
  });

  it("is told of an alert that lacks one of them", () => {
    const { annotations } = alerts.find(({ alert }) => alert === "NodeDown") ?? {};
    const lacks = (part: string): Runbooks =>
      new Map([...runbooks].map(([name, book]) => [name, { ...book, [part]: "" }]));
    const without = (name: string): Runbooks =>
      new Map([...runbooks].filter(([alert]) => alert !== name));
    for (const [found, words] of [
      [problems({ labels: {} }), /NodeDown: severity/],
      [problems({ annotations: { ...annotations, description: "It is down." } }), /\$value/],
      [problems({ annotations: { ...annotations, description: "{{ $value }}" } }), /instance/],
      [problems({ annotations: { ...annotations, runbook_url: "docs/none.md" } }), /runbook_url/],
      [problems({ annotations: { ...annotations, summary: "" } }), /summary/],
      [problems({}, without("NodeDown")), /NodeDown: no runbook/],
      [problems({}, lacks("look")), /NodeDown: no Look/],
      [problems({}, lacks("call")), /NodeDown: no Call/],
    ] as const)
      assert.match(found.join("\n"), words);
  });

  it("changes nothing by a command of Look", () => {
    assert.deepEqual(strangeLooks(runbooks), []);
    const nodeDown = runbooks.get("NodeDown");
    assert.ok(nodeDown);
    for (const line of ["kubectl -n boxoffice delete pod api", "boxoffice ledger replay", "rm x"])
      assert.equal(
        strangeLooks(new Map([["NodeDown", { ...nodeDown, looks: [line] }]])).length,
        1,
        line,
      );
  });

  it("finds each runbook in their index, and each object of kubectl in the manifests", () => {
    const index = readFileSync(join(ROOT, "docs/runbooks/README.md"), "utf8");
    const links = [...index.matchAll(/\[(\w+)\]\(([\w-]+\.md#\w+)\)/g)];
    assert.deepEqual(
      links.map(([, name, link]) => [name, `docs/runbooks/${link}`]).toSorted(),
      [...runbooks].map(([name, { url }]) => [name, url]).toSorted(),
    );
    assert.deepEqual(unknownObjects(runbooks), []);
    const nodeDown = runbooks.get("NodeDown") ?? assert.fail();
    const looks = ["kubectl -n boxoffice logs deployment/webshop", "kubectl delete pod mysql-0"];
    assert.deepEqual(unknownObjects(new Map([["NodeDown", { ...nodeDown, looks, mends: [] }]])), [
      "NodeDown: webshop",
      "NodeDown: mysql",
    ]);
  });

  it("is woken by pages only, and the dead man's switch has its own receiver", () => {
    const { route, inhibit_rules } = parse(alertmanagerConfiguration("http://127.0.0.1")) as {
      route: { receiver: string; routes: { receiver: string; matchers: string[] }[] };
      inhibit_rules: Record<"source_matchers" | "target_matchers", string[]>[];
    };
    assert.deepEqual(
      [route.receiver, ...route.routes.map(({ receiver, matchers }) => [receiver, ...matchers])],
      ["ticket", ["page", 'severity = "page"'], ["heartbeat", 'severity = "heartbeat"']],
    );
    const named = inhibit_rules.flatMap(({ source_matchers, target_matchers }) =>
      [...source_matchers, ...target_matchers].flatMap((matcher) =>
        (/^alertname =~? "(.*)"$/.exec(matcher)?.[1] ?? "").split("|").filter(Boolean),
      ),
    );
    assert.ok(named.length > 15);
    for (const name of named)
      assert.ok(
        names.some((alert) => new RegExp(`^(?:${name})$`).test(alert)),
        `an inhibition names ${name}`,
      );
  });
});
