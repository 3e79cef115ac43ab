// The image is built without a registry of images, and the gateway's pod of the manifests sells a
// ticket: as production, over TLS to all servers, without rights and with a read-only root.
import assert from "node:assert/strict";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildImage } from "../../tools/image/build-image.ts";
import type { Binaries } from "../../tools/dev-servers/binaries.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { httpClient } from "../support/http/http.ts";
import { build, copyManifests, findBuilder, type Manifest } from "../support/manifests/build.ts";
import { openPodman, type Podman } from "../support/processes/podman.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { provideProgram } from "../support/processes/programs.ts";
import { startTlsServers, type TlsServers } from "../support/processes/tls-servers.ts";
import { waitFor } from "../support/wait-for.ts";

const IMAGE = "localhost/boxoffice:test";
/** Podman keeps an emptyDir as a volume of this name, and removes it with the pod. */
const SCRATCH = "boxoffice-test-scratch";
const CONTAINER = "api-pod-0-engine";

type Deployment = {
  spec: {
    template: {
      spec: {
        hostNetwork?: boolean;
        containers: Record<string, unknown>[];
        volumes: { name: string; secret?: { secretName: string }; hostPath?: object }[];
      };
    };
  };
};

/** What builds the image and runs its pod, or why that cannot be done here. */
async function provided(): Promise<{ podman: string; runc: string } | string> {
  if (process.getuid?.() !== 0) return "needs root";
  if (findBuilder() === undefined) return "neither kubectl nor kustomize is installed";
  const found: Partial<Binaries> = {};
  for (const name of ["debootstrap", "catatonit", "runc", "podman"] as const) {
    const program = await provideProgram(name);
    if (typeof program === "string") return program;
    Object.assign(found, program);
  }
  return { podman: found.podman ?? "podman", runc: found.runc ?? "runc" };
}

const programs = await provided();
const skip = typeof programs === "string" ? programs : false;

describe("the image", { skip }, () => {
  const { folder, remove } = temporaryFolder();
  let podman: Podman;
  let servers: TlsServers;
  let engine: Engine;
  let [port, healthPort, metricsPort] = [0, 0, 0];

  /**
   * The gateway of the manifests, with the addresses of this test's servers. Podman 4.3 does not
   * decode the values of secrets, so they are files of this machine.
   */
  const gateway = (): object[] => {
    const manifests = build(findBuilder() ?? assert.fail(), copyManifests(folder), "minikube");
    const named = (kind: string, name: RegExp): Manifest =>
      manifests.find((one) => one.kind === kind && name.test(one.metadata.name)) ??
      assert.fail(`no ${kind} ${String(name)}`);
    const deployment = named("Deployment", /^api$/);
    const { spec } = (deployment as Manifest & Deployment).spec.template;
    spec.hostNetwork = true;
    const [container = {}] = spec.containers;
    container.image = IMAGE;
    // Podman 4 runs probes of HTTP as curl, which the image has not: the test asks itself.
    // The host's network needs no ports.
    for (const left of ["startupProbe", "livenessProbe", "readinessProbe", "lifecycle", "ports"])
      Reflect.deleteProperty(container, left);
    const ports = { PORT: port, HEALTH_PORT: healthPort, METRICS_PORT: metricsPort };
    for (const item of container.env as { name: keyof typeof ports; value: string }[])
      if (item.name in ports) item.value = String(ports[item.name]);
    const config = named("ConfigMap", /^engine/);
    config.data = { ...config.data, BUS_NAMESPACE: engine.config.namespace };
    const { redisUrl, amqpUrl, transporter, caFile } = servers;
    const values: Record<string, string> = {
      "redis-url": redisUrl,
      "redlock-urls": redisUrl,
      "amqp-url": amqpUrl,
      transporter,
      "internal-token-secret": engine.config.internalTokenSecret,
      "ca.crt": readFileSync(caFile, "utf8"),
    };
    const renamed = JSON.stringify(spec).replaceAll('"name":"scratch"', `"name":"${SCRATCH}"`);
    Object.assign(spec, JSON.parse(renamed));
    for (const volume of spec.volumes.filter(({ secret }) => secret !== undefined)) {
      const path = join(folder, volume.name);
      mkdirSync(path);
      const secret = manifests.find(
        ({ kind, metadata }) => kind === "Secret" && metadata.name === volume.secret?.secretName,
      );
      for (const name of secret === undefined ? ["ca.crt"] : Object.keys(secret.data ?? {})) {
        writeFileSync(join(path, name), values[name] ?? assert.fail(name));
        chownSync(join(path, name), 10_001, 10_001);
      }
      delete volume.secret;
      volume.hostPath = { path, type: "Directory" };
    }
    return [config, deployment];
  };

  before(async () => {
    if (typeof programs === "string") return;
    podman = openPodman(programs, folder);
    await buildImage({ name: IMAGE }, () => undefined);
    servers = await startTlsServers();
    engine = await startEngine(
      {
        SERVICES: "auth,catalog,purchasing,ledger",
        REDIS_URL: servers.redisUrl,
        AMQP_URL: servers.amqpUrl,
        TRANSPORTER: servers.transporter,
        SERVERS_CA_FILE: servers.caFile,
      },
      servers.overTls,
    );
    [port = 0, healthPort = 0, metricsPort = 0] = await Promise.all(
      [1, 2, 3].map(() => freePort()),
    );
    await podman.play(gateway());
  });
  after(async () => {
    try {
      await podman.down();
      await podman.run("image", "rm", "--force", IMAGE);
      await engine.close();
    } finally {
      await servers.close();
      remove();
    }
  });

  it("says what it is, and has a bill of materials", async () => {
    const labels = JSON.parse(
      await podman.run("image", "inspect", "--format", "{{json .Labels}}", IMAGE),
    ) as Record<string, string>;
    assert.match(labels["org.opencontainers.image.revision"] ?? "", /^[0-9a-f]{10}\+?$/);
    assert.equal(labels["org.opencontainers.image.licenses"], "MIT");
    const bill = JSON.parse(await podman.run("exec", CONTAINER, "cat", "/app/sbom.json")) as {
      components: { name: string }[];
    };
    assert.ok(bill.components.some(({ name }) => name === "moleculer"));
    const history = await podman.run("image", "inspect", IMAGE);
    assert.doesNotMatch(history, /npm_config_registry|_authToken/);
  });

  it("sells a ticket as the manifests run it", async () => {
    const ask = httpClient(`http://127.0.0.1:${port}`);
    const ready = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${healthPort}/readyz`).catch(() => undefined))?.ok === true;
    await waitFor(ready, { withinMs: 60_000, what: "The pod is ready" }).catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}; ${await podman.run("logs", CONTAINER)}`);
      },
    );
    const eventId = await engine.addEvent({ capacity: 2 });
    const answer = await ask("POST", `/api/events/${eventId}/tickets`, {
      token: engine.accessToken(),
      json: { quantity: 2 },
    });
    assert.equal(answer.status, 201, answer.text);
    const page = await ask("GET", "/");
    assert.equal(page.status, 200);
    assert.match(page.text, /<title>/);
  });

  it("has no rights, and cannot write its root", async () => {
    const status = await podman.run("exec", CONTAINER, "cat", "/proc/1/status");
    assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^CapBnd:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    const written = podman.run("exec", CONTAINER, "touch", "/app/x");
    await assert.rejects(written, /Read-only file system/);
    await podman.run("exec", CONTAINER, "test", "-w", "/tmp");
  });

  it("ends in order when it is told to", async () => {
    await podman.run("stop", "--time", "30", CONTAINER);
    const code = await podman.run("inspect", "--format", "{{.State.ExitCode}}", CONTAINER);
    assert.equal(code.trim(), "0", await podman.run("logs", CONTAINER));
  });
});
