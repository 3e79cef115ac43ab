// The manifests, as far as they can be checked without a cluster: each overlay is built and
// validated by Kubernetes' schemas and types, and all names resolve.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readConfig, VARIABLES } from "../../config/index.ts";
import { drawSecrets, upgradedSecrets } from "../../cli/commands/operators/kubernetes-secrets.ts";
import { makeAuthority } from "../../tools/testing/certificate.ts";
import { imagesOf, pinned } from "../../cli/commands/operators/kubernetes-images.ts";
import {
  build,
  copyManifests,
  digestOf,
  findBuilder,
  type Manifest,
  OVERLAYS,
  plant,
} from "../support/manifests/build.ts";
import { credentialErrors, tlsErrors } from "../support/manifests/least-privilege.ts";
import { policyErrors } from "../support/manifests/policy.ts";
import { schemaErrors, typeErrors } from "../support/manifests/schemas.ts";
import { hasPort, selects, workloadsOf } from "../support/manifests/workloads.ts";

const withoutPassword = (url = ""): string => Object.assign(new URL(url), { password: "" }).href;

/** The same objects, with PostgreSQL's URL in the gateway's pod. */
function withGatewayDatabase(manifests: readonly Manifest[]): Manifest[] {
  const copy = structuredClone([...manifests]);
  const gateway = workloadsOf(copy).find(({ title }) => title === "Deployment api");
  gateway?.pod.containers[0]?.env?.push({ name: "DATABASE_URL", value: "postgres://" });
  return copy;
}

const builder = findBuilder();
const skip = builder === undefined ? "neither kubectl nor kustomize is installed" : false;

describe("the manifests", { skip }, () => {
  let folder: string;
  let kubernetes: string;
  const built = new Map<string, Manifest[]>();
  const of = (overlay: string): Manifest[] =>
    built.get(overlay) ?? build(builder ?? ["kubectl"], kubernetes, overlay);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-manifests-"));
    kubernetes = copyManifests(folder);
    for (const overlay of OVERLAYS) built.set(overlay, of(overlay));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are built, and everything in them is known to Kubernetes", async () => {
    for (const overlay of OVERLAYS) {
      const manifests = of(overlay);
      assert.ok(manifests.length > 60, `${overlay} has ${manifests.length} objects`);
      assert.deepEqual(await schemaErrors(manifests), [], overlay);
      assert.deepEqual(typeErrors(manifests), [], overlay);
    }
  });

  it("lead somewhere with every name, and keep every pod closed", () => {
    for (const overlay of OVERLAYS) assert.deepEqual(policyErrors(of(overlay)), [], overlay);
  });

  it("are not built for production before every image has a digest", () => {
    const images = join(kubernetes, "overlays", "production", "images");
    renameSync(images, `${images}.aside`);
    try {
      assert.throws(() => build(builder ?? ["kubectl"], kubernetes, "production"), /images/);
    } finally {
      renameSync(`${images}.aside`, images);
    }
    const named = workloadsOf(of("production")).flatMap(({ pod }) =>
      [...(pod.initContainers ?? []), ...pod.containers].map(({ image }) => image),
    );
    assert.ok(named.length > 12, `${named.length} containers`);
    assert.deepEqual(
      named.filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image)),
      [],
    );
    assert.ok(named.includes(`registry.example.com/boxoffice@${digestOf("boxoffice:latest")}`));
    const known = imagesOf(kubernetes);
    const lines = known.map((image) => `${image}@${digestOf(image)}`);
    assert.deepEqual(pinned(known, lines.slice(1)), { problems: [`${known[0]} has no digest`] });
    assert.deepEqual(pinned(known, [...lines, "docker.io/library/postgres:17"]), {
      problems: ['"docker.io/library/postgres:17" is not a line IMAGE@sha256:… of a known image'],
    });
  });

  it("take traces as a component, with a way to the collector that only nodes have", () => {
    const putBack = plant(
      join(kubernetes, "overlays", "minikube", "kustomization.yaml"),
      "components: [../../components/ingress]",
      "components: [../../components/ingress, ../../components/traces]",
    );
    try {
      const manifests = build(builder ?? ["kubectl"], kubernetes, "minikube");
      assert.deepEqual([policyErrors(manifests), typeErrors(manifests)], [[], []]);
      const engine =
        manifests.find(
          ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("engine"),
        )?.data ?? {};
      assert.ok(
        readConfig({ ...engine, DATA_DIR: join(folder, "traced"), NODE_ENV: "", HOST: "" }).traces,
      );
      assert.ok(
        manifests.some(
          ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === "traces",
        ),
      );
    } finally {
      putBack();
    }
  });

  it("take the rules and scrapes of the Prometheus operator as a component", async () => {
    const putBack = plant(
      join(kubernetes, "overlays", "minikube", "kustomization.yaml"),
      "components: [../../components/ingress]",
      "components: [../../components/ingress, ../../components/prometheus-operator]",
    );
    try {
      const manifests = build(builder ?? ["kubectl"], kubernetes, "minikube");
      const own = manifests.filter(({ apiVersion }) => apiVersion === "monitoring.coreos.com/v1");
      assert.deepEqual(own.map(({ kind }) => kind).toSorted(), [
        ...Array<string>(3).fill("PodMonitor"),
        ...Array<string>(4).fill("PrometheusRule"),
      ]);
      assert.deepEqual(
        [await schemaErrors(own), typeErrors(own), policyErrors(manifests)],
        [[], [], []],
      );
      const pods = workloadsOf(manifests);
      for (const { metadata, spec } of own.filter(({ kind }) => kind === "PodMonitor")) {
        const { selector, podMetricsEndpoints } = spec as {
          selector: { matchLabels: Record<string, string> };
          podMetricsEndpoints: { port: string }[];
        };
        const chosen = pods.filter(({ labels }) => selects(selector.matchLabels, labels));
        assert.ok(chosen.length > 0, `${metadata.name} selects pods`);
        for (const { title, pod } of chosen)
          for (const { port } of podMetricsEndpoints)
            assert.ok(
              pod.containers.some((container) => hasPort(container, port)),
              `${title} has the port ${port}`,
            );
      }
    } finally {
      putBack();
    }
  });

  it("S33: give each pod the role of PostgreSQL that it needs, and gateways none", () => {
    for (const overlay of OVERLAYS) {
      assert.deepEqual(credentialErrors(of(overlay)), [], overlay);
      const broken = withGatewayDatabase(of(overlay));
      assert.match(credentialErrors(broken).join("\n"), /Deployment api has DATABASE_URL/);
    }
  });

  it("take the secrets of a release without roles and TLS, with the same passwords", () => {
    const now = drawSecrets();
    const before: Record<string, string> = {
      ...now,
      "redis-url": now["redis-url"]?.replace("rediss:", "redis:") ?? "",
      "redlock-urls": now["redlock-urls"]?.replaceAll("rediss:", "redis:") ?? "",
      "amqp-url": now["amqp-url"]?.replace("amqps:", "amqp:").replace("5671", "5672") ?? "",
      transporter: now.transporter?.replace("tls:", "nats:") ?? "",
      "nats-cluster.conf": now["nats-cluster.conf"]?.replace(/ {2}tls .*\n/, "") ?? "",
    };
    const changed = upgradedSecrets((name) => before[name] ?? assert.fail(name));
    const drawn = ["database-url", "backup-database-url"];
    for (const [name, text] of Object.entries(changed))
      if (drawn.includes(name)) assert.equal(withoutPassword(text), withoutPassword(now[name]));
      else assert.equal(text, now[name], name);
    assert.equal(Object.keys(changed).length, 8);
  });

  it("S41: connect to PostgreSQL, Redis, RabbitMQ and NATS by TLS only, with a named authority", () => {
    for (const overlay of OVERLAYS) assert.deepEqual(tlsErrors(of(overlay)), [], overlay);
  });

  it("back up every night and restore every week, by the laptop's script", () => {
    const jobs = of("production").filter(({ kind }) => kind === "CronJob");
    const schedules = jobs.map(({ metadata, spec }) => [
      metadata.name,
      (spec as { schedule: string }).schedule,
    ]);
    assert.match(String(schedules.find(([name]) => name === "backup")?.[1]), /^\d+ \d+ \* \* \*$/);
    assert.match(
      String(schedules.find(([name]) => name === "restore-drill")?.[1]),
      /^\d+ \d+ \* \* [0-6]$/,
    );
    const files =
      of("production").find(
        ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("backup"),
      )?.data ?? {};
    const { "backup.sh": script = "", "invariants.sql": invariants = "" } = files;
    assert.equal(script, readFileSync(join(kubernetes, "base", "backup", "backup.sh"), "utf8"));
    assert.ok(invariants.includes("SELECT"));
    const backups = jobs.filter(({ metadata }) => metadata.name !== "retention");
    for (const { title, pod } of workloadsOf(backups)) {
      const [program, file, word = ""] =
        (pod.containers[0] as { command?: string[] }).command ?? [];
      assert.deepEqual([program, file], ["bash", "/backup/backup.sh"], title);
      assert.match(
        script,
        new RegExp(`^${word}\\(\\) \\{`, "m"),
        `${title} asks for what the script can do`,
      );
    }
  });

  it("give every node variables that the engine knows, and time to stop", () => {
    const nodes = workloadsOf(of("production")).filter(
      ({ labels }) => labels["boxoffice/node"] === "true",
    );
    assert.equal(nodes.length, 6);
    for (const { title, pod } of nodes) {
      const names = (pod.containers[0]?.env ?? []).map(({ name }) =>
        name in VARIABLES ? name : name.replace(/_FILE$/, ""),
      );
      assert.deepEqual(
        names.filter((name) => !(name in VARIABLES)),
        [],
        title,
      );
      // preStop, and what tools/process/node-process.ts waits for at most.
      assert.ok((pod.terminationGracePeriodSeconds ?? 0) > 5 + 12, title);
    }
  });

  it("give every kind of node a configuration that production accepts", () => {
    const secrets = join(kubernetes, "overlays", "production", "secrets");
    const authority = makeAuthority(folder, "ca").certFile;
    for (const { title, pod } of workloadsOf(of("production")).filter(
      ({ labels }) => labels["boxoffice/node"] === "true",
    )) {
      const given = (pod.containers[0]?.env ?? []).map(
        ({ name, value = "pod-1" }): [string, string] => {
          if (name === "ACCESS_TOKEN_KEYS_DIR") return [name, secrets];
          if (name === "SERVERS_CA_FILE") return [name, authority];
          return value.startsWith("/secrets/")
            ? [name, join(secrets, value.split("/").at(-1) ?? "")]
            : [name, value];
        },
      );
      const environment = Object.fromEntries(given);
      const config = readConfig({
        ...environment,
        NODE_ENV: "production",
        HOST: "0.0.0.0",
        TRUSTED_PROXIES: "10.244.0.0/16",
        PUBLIC_URL: "https://tickets.example.com",
      });
      assert.ok(config.production, title);
    }
  });
});
