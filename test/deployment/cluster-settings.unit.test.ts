// What a cluster's owner relies on: settings that cannot be guessed are asked for, a comment
// restarts no database, claims and images are named, a scaler reads zero load as zero, and the
// versions that the manual names suffice.
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import {
  build,
  copyManifests,
  findBuilder,
  type Manifest,
  plant,
} from "../support/manifests/build.ts";
import { PATHS } from "../../public/src/paths.ts";
import { productionErrors } from "../support/manifests/scheduling.ts";
import {
  documentedVersions,
  unusedFeatures,
  versionErrors,
} from "../support/manifests/versions.ts";
import { promtool, providePrometheus } from "../support/monitoring/rules.ts";

const builder = findBuilder();
const skip = builder === undefined ? "neither kubectl nor kustomize is installed" : false;

describe("the settings of a cluster", { skip }, () => {
  let folder: string;
  let kubernetes: string;
  let production: Manifest[];
  const built = (overlay: string): Manifest[] => build(builder ?? ["kubectl"], kubernetes, overlay);
  const planted = (file: string, from: string, to: string): Manifest[] => {
    const putBack = plant(join(kubernetes, file), from, to);
    try {
      return built("production");
    } finally {
      putBack();
    }
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-settings-"));
    kubernetes = copyManifests(folder);
    production = built("production");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("do not build before the proxies, the host name and the secrets are known", () => {
    for (const name of ["engine.env", "edge.env", "secrets"]) {
      const path = join(kubernetes, "overlays", "production", name);
      renameSync(path, `${path}.aside`);
      try {
        assert.throws(() => built("production"), new RegExp(name.replace(".", "\\.")));
      } finally {
        renameSync(`${path}.aside`, path);
      }
    }
  });

  it("put one host name in each place that needs it", () => {
    const file = "overlays/production/edge.env";
    const text = JSON.stringify(planted(file, "tickets.example.com", "tickets.example.org"));
    assert.equal(text.split("tickets.example.org").length - 1, 6);
    assert.doesNotMatch(text, /tickets\.example\.com|HOST_NAME|"EMAIL"/);
  });

  const postgres = (manifests: readonly Manifest[]): unknown =>
    manifests.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "postgres")
      ?.spec ?? assert.fail("no PostgreSQL");

  it("do not restart PostgreSQL for a comment in a script or a configuration", () => {
    const before = postgres(production);
    for (const [file, line] of [
      ["base/backup/backup.sh", "set -euo pipefail"],
      ["base/backup/invariants.sql", "SELECT format("],
      ["base/servers/pg_hba.conf", "local all all trust"],
    ] as const) {
      const comment = file.endsWith(".sql") ? "-- A comment." : "# A comment.";
      assert.deepEqual(postgres(planted(file, line, `${comment}\n${line}`)), before, file);
    }
    // A hash in the names would.
    const hashed = "disableNameSuffixHash: false";
    const kustomization = "base/backup/kustomization.yaml";
    assert.notDeepEqual(
      postgres(planted(kustomization, "disableNameSuffixHash: true", hashed)),
      before,
    );
  });

  it("name a storage class for each claim, and a secret by which images are pulled", () => {
    assert.deepEqual(productionErrors(production), []);
    const file = "overlays/production/kustomization.yaml";
    assert.match(
      productionErrors(planted(file, "name: postgres|redis|", "name: redis|")).join("\n"),
      /StatefulSet postgres names no storage class/,
    );
    assert.match(
      productionErrors(planted(file, "kind: CronJob }", "kind: CronJob, name: backup }")).join(),
      /CronJob retention names no secret to pull its images by/,
    );
  });

  it("are known to the minimum versions that the manual names", () => {
    const both = [...production, ...built("minikube")];
    const documented = documentedVersions();
    assert.deepEqual(versionErrors(both, documented), []);
    assert.deepEqual(unusedFeatures(both), []);
    const older = new Map([...documented, ["Kubernetes", "1.29"]]);
    assert.match(versionErrors(both, older).join(), /Kubernetes 1\.29 does not know .*sleep/);
    const without = new Map([...documented].filter(([program]) => program !== "KEDA"));
    assert.match(versionErrors(both, without).join(), /KEDA is used, and has no minimum version/);
  });

  it("lead every page of the app from HTTP to HTTPS", () => {
    const route = production.find(
      ({ kind, metadata }) => kind === "HTTPRoute" && metadata.name === "redirect",
    )?.spec as { rules: { matches: { path: { type: string; value: string } }[] }[] };
    const matches = route.rules.flatMap((rule) => rule.matches.map(({ path }) => path));
    const wanted = new Set(Object.values(PATHS).map((path) => `/${path.split("/")[1]}`));
    assert.deepEqual(new Set(matches.map(({ value }) => value)), wanted);
  });

  it("scale by zero without traffic, and fall back only without figures", async (context) => {
    const programs = await providePrometheus();
    if (typeof programs === "string") return context.skip(programs);
    type Trigger = { type: string; metadata: { query: string; ignoreNullValues: string } };
    const queries = production
      .filter(({ kind }) => kind === "ScaledObject")
      .flatMap(({ metadata, spec }) =>
        (spec as { triggers: Trigger[] }).triggers
          .filter(({ type }) => type === "prometheus")
          .map((trigger) => ({ name: metadata.name, ...trigger.metadata })),
      );
    assert.ok(queries.length > 4);
    // A node without traffic is scraped, and has no series of a counter with labels.
    const scraped = ["api", "auth", "catalog", "purchasing", "ledger", "notifier"].map((role) => ({
      series: `up{job="boxoffice", role="${role}", instance="${role}-0"}`,
      values: "1x10",
    }));
    const rabbitmq = { series: 'up{job="rabbitmq", instance="rabbitmq:15692"}', values: "1x10" };
    const dead = [...scraped, rabbitmq].map((one) => ({ ...one, values: "0x10" }));
    const asked = (samples: { value: number; labels: string }[]) =>
      queries.map(({ query }) => ({ expr: query, eval_time: "5m", exp_samples: samples }));
    const file = join(folder, "scaling.yml");
    const check = async (tests: unknown[]) => {
      writeFileSync(file, stringify({ rule_files: [], evaluation_interval: "1m", tests }));
      return promtool(programs.promtool, "test", "rules", file);
    };
    const quiet = { interval: "1m", input_series: [...scraped, rabbitmq] };
    const zero = asked([{ value: 0, labels: "{}" }]);
    const { ok, output } = await check([
      { ...quiet, promql_expr_test: zero },
      { interval: "1m", input_series: dead, promql_expr_test: asked([]) },
    ]);
    assert.ok(ok, output);
    for (const { name, ignoreNullValues } of queries) assert.equal(ignoreNullValues, "false", name);
    const bare = zero.map((test) => ({ ...test, expr: test.expr.replace(/\s+or 0 .*/s, "") }));
    assert.equal((await check([{ ...quiet, promql_expr_test: bare }])).ok, false);
  });
});
