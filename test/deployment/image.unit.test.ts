// The image and compose.yaml, as far as files can tell: what is copied and mounted is there and
// let in, every import of the engine is in the image, variables are the engine's, and the servers
// are those of the cluster.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { COMMANDS } from "../../cli/command-list.ts";
import { VARIABLES } from "../../config/index.ts";
import { HEAP_FLAGS } from "../../lib/observability/gc-tuning.ts";
import { ROOT } from "../../tools/root.ts";
import { importsOf, isCode, readSourceFiles } from "../support/source-files.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
type Service = {
  image?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  restart?: string;
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
};

/** What a stage copies from the build's context. The last stage has no name. */
function copied(containerfile: string, stage = ""): string[] {
  const stages = containerfile.split(/^FROM \S+/m).slice(1);
  const head = stage === "" ? "\n" : ` AS ${stage}\n`;
  const body = stages.find((text) => text.startsWith(head)) ?? assert.fail(`no stage ${stage}`);
  return [...body.matchAll(/^COPY (?:--from=\S+ )?(.+) \.\S*$/gm)].flatMap(([, sources = ""]) =>
    sources.split(" ").map((source) => source.replace("/app/", "")),
  );
}

/** Whether a file is among what is copied. */
const isAmong = (sources: readonly string[], path: string): boolean =>
  sources.some((source) =>
    source === "*.ts" ? /^[^/]+\.ts$/.test(path) : path === source || path.startsWith(`${source}/`),
  );

/** A file and all files that it imports, and that they import. */
function reachedFrom(start: string): string[] {
  const files = new Map(readSourceFiles().map((file) => [file.path, file]));
  const reached = new Set([start]);
  for (const path of reached) {
    const file = files.get(path);
    if (file !== undefined && isCode(file))
      for (const { ours, name } of importsOf(file)) if (ours) reached.add(name);
  }
  return [...reached];
}

/** Imports of what is copied that are not copied themselves. */
function missingFrom(sources: readonly string[]): string[] {
  const holds = (path: string): boolean => isAmong(sources, path);
  return readSourceFiles()
    .filter(
      (file) =>
        isCode(file) &&
        holds(file.path) &&
        !/^(?:tools\/(?:chaos|security|web-build|bench|testing|fuzz)|cli\/commands\/development)\//.test(
          file.path,
        ) &&
        !file.path.startsWith("public/"),
    )
    .flatMap((file) =>
      importsOf(file)
        .filter(({ ours, name }) => ours && !holds(name))
        .map(({ name }) => `${file.path} imports ${name}`),
    );
}

describe("the image", () => {
  const sources = copied(read("Containerfile"));

  it("has every file that the engine imports", () => {
    assert.ok(sources.includes("*.ts") && sources.includes("services"), sources.join(" "));
    assert.deepEqual(missingFrom(sources), []);
    assert.ok(
      missingFrom(sources.filter((source) => source !== "domain")).length > 10,
      "a folder that is left out is noticed",
    );
  });

  it("has every file that builds the web app, in that stage", () => {
    const stage = copied(read("Containerfile"), "web-app");
    const needed = reachedFrom("cli/commands/development/build.ts");
    assert.ok(needed.length > 20 && stage.includes("public"), needed.join(" "));
    assert.deepEqual(
      needed.filter((path) => !isAmong(stage, path)),
      [],
    );
  });

  it("is let have what it copies", () => {
    const letIn = read(".dockerignore").split("\n");
    for (const source of sources.filter(
      (path) => !["node_modules", "public/dist", "sbom.json"].includes(path),
    ))
      assert.ok(letIn.includes(`!${source}`) || source === "package.json", source);
  });

  it("starts the engine by the launcher, with the heap that was measured", () => {
    const launcher = read("cli/boxoffice.mjs");
    assert.ok(launcher.includes(`const ENGINE_FLAGS = ${JSON.stringify(HEAP_FLAGS)};`));
    assert.match(launcher, /ENGINE_COMMANDS = new Set\(\["node"\]\)/);
    assert.ok(read("Containerfile").endsWith('\nCMD ["node", "cli/boxoffice.mjs", "node"]\n'));
  });

  it("says what it is and what is in it", () => {
    const text = read("Containerfile");
    const label = (name: string) =>
      new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]*)"`).exec(text)?.[1];
    const { version, license, description } = JSON.parse(read("package.json")) as Record<
      string,
      string
    >;
    assert.deepEqual(
      [label("version"), label("licenses"), label("description")],
      [version, license, description],
    );
    assert.equal(label("revision"), "${REVISION}");
    assert.match(text, /^RUN npm sbom .*--omit=dev .*> sbom\.json$/m);
    assert.ok(sources.includes("sbom.json"));
  });

  it("runs as a user without rights, by the variables of the engine", () => {
    const text = read("Containerfile");
    assert.match(text, /^USER 10001:10001$/m);
    for (const [, name = ""] of text.matchAll(/(?<=^ENV .*)(\w+)=/gm))
      assert.ok(name in VARIABLES, name);
  });
});

describe("compose.yaml", () => {
  const { services } = parse(read("compose.yaml"), { merge: true }) as {
    services: Record<string, Service>;
  };

  it("mounts files that are there, and names variables that the engine has", () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes
        .filter((volume) => volume.startsWith("./"))
        .map((volume) => volume.split(":")[0] ?? ""),
    );
    assert.ok(mounted.length > 4);
    for (const file of mounted) assert.ok(existsSync(join(ROOT, file)), file);
    for (const name of ["engine", "migrate", "demo"])
      for (const variable of Object.keys(services[name]?.environment ?? assert.fail(name)))
        assert.ok(variable in VARIABLES, variable);
  });

  it("opens ports that can be changed, on this machine only", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    assert.equal(ports.length, 3);
    for (const port of ports)
      assert.match(port, /^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/, "BOXOFFICE_PORT and so on");
  });

  it("starts again what ended, and ends with migrations and demo events that succeeded", () => {
    const once = ["migrate", "demo"];
    for (const [name, { restart, command = [] }] of Object.entries(services)) {
      assert.equal(restart, once.includes(name) ? "on-failure" : "unless-stopped", name);
      if (once.includes(name))
        assert.ok(
          COMMANDS.some((one) => one.name === command.at(-1)),
          name,
        );
    }
    const after = (name: string, other: string) => services[name]?.depends_on?.[other]?.condition;
    assert.equal(after("engine", "migrate"), "service_completed_successfully");
    assert.equal(after("demo", "engine"), "service_healthy");
  });

  it("has the servers of the cluster, in the same versions", () => {
    for (const name of ["postgres", "redis", "rabbitmq", "nats"])
      assert.ok(
        read(`kubernetes/base/servers/${name}.yaml`).includes(`image: ${services[name]?.image}\n`),
        name,
      );
    const page = read("docs/kubernetes.md");
    for (const [title, name] of [
      ["PostgreSQL", "postgres"],
      ["Redis", "redis"],
      ["RabbitMQ", "rabbitmq"],
      ["NATS", "nats"],
    ] as const) {
      const version = services[name]?.image?.split(":").at(-1) ?? assert.fail(name);
      assert.ok(page.includes(`\n| ${title} | ${version} | `), `${title} ${version} in the manual`);
    }
    for (const name of ["prometheus", "grafana"])
      assert.ok(
        read(`kubernetes/monitoring/${name}.yaml`).includes(`image: ${services[name]?.image}\n`),
        name,
      );
  });
});
