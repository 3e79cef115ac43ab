// Each alert rule fires on its figures, is quiet on others, and links to its runbook.
// A rule with another threshold fails these tests.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ROOT } from "../../tools/root.ts";
import { ALERT_CASES } from "../support/monitoring/alert-cases.ts";
import {
  MONITORING,
  promtool,
  providePrometheus,
  rulesOf,
  writeAlertTests,
} from "../support/monitoring/rules.ts";

const programs = await providePrometheus();
const skip = typeof programs === "string" ? programs : false;
const program = typeof programs === "string" ? "" : programs.promtool;
const alerts = rulesOf("alerts.yml");
const names = alerts.map(({ alert = "" }) => alert);

describe("alerts", { skip }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-alerts-"));
    cpSync(join(MONITORING, "rules"), folder, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("and the configuration are accepted by Prometheus", async () => {
    const { ok, output } = await promtool(
      program,
      "check",
      "rules",
      join(folder, "alerts.yml"),
      join(folder, "recording.yml"),
    );
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
      ALERT_CASES.map(({ alert }) => alert),
      names,
      "one case for each alert",
    );
    const { ok, output } = await promtool(
      program,
      "test",
      "rules",
      ...writeAlertTests(folder, alerts, ALERT_CASES),
    );
    assert.ok(ok, output);
  });

  it("fail their test with another threshold, without figures, or without `for`", async () => {
    const file = join(folder, "alerts.yml");
    const right = readFileSync(file, "utf8");
    for (const [alert, from, to] of [
      [
        "OutboxOld",
        "max(boxoffice_ledger_lag_seconds) > 60",
        "max(boxoffice_ledger_lag_seconds) > 100",
      ],
      [
        "Oversold",
        "sum(increase(boxoffice_oversold_events_total[10m])) > 0",
        "sum(increase(boxoffice_oversold_total[10m])) > 0",
      ],
      ["OrdersFailSlowly", " > 6 * 0.001", " > 4 * 0.001"],
      ["NoBackup", "for: 26h", "for: 28h"],
    ] as const) {
      assert.ok(right.includes(from), from);
      writeFileSync(file, right.replaceAll(from, to));
      const cases = ALERT_CASES.filter((one) => one.alert === alert);
      const { ok, output } = await promtool(
        program,
        "test",
        "rules",
        ...writeAlertTests(folder, alerts, cases),
      );
      assert.ok(!ok && output.includes("FAILED"), `${to}: ${output}`);
    }
    writeFileSync(file, right);
  });
});

describe("runbooks", () => {
  const page = readFileSync(join(ROOT, "docs", "operations.md"), "utf8");
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, name = ""]) => name);

  it("exist for every alert, and for nothing else", () => {
    assert.deepEqual(headings.toSorted(), names.toSorted());
    for (const { alert = "", annotations } of alerts)
      assert.equal(annotations?.runbook, `docs/operations.md#${alert.toLowerCase()}`);
  });

  it("say what it means, where to look first and how to repair it", () => {
    for (const name of headings) {
      const text = page.split(`### ${name}\n`)[1]?.split(/^##/m)[0] ?? "";
      for (const part of ["**Means.**", "**Look.**", "**Mend.**"])
        assert.ok(text.includes(part), `${name} lacks ${part}`);
    }
  });
});
