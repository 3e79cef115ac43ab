import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "../../../tools/image/run.ts";

/**
 * A runtime that leaves out what needs CAP_SYS_RESOURCE, which root lacks on some machines. The
 * pod's limits of memory and CPU are cgroups and stay.
 */
const runtimeScript = (runc: string): string => `#!/usr/bin/env node
const { execFileSync } = require("node:child_process");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const args = process.argv.slice(2);
const after = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const [bundle, process_] = [after("--bundle"), after("--process")];
const without = (file, processOf) => {
  if (!existsSync(file)) return;
  const config = JSON.parse(readFileSync(file, "utf8"));
  delete processOf(config).rlimits;
  delete processOf(config).oomScoreAdj;
  writeFileSync(file, JSON.stringify(config));
};
if (bundle !== undefined) without(bundle + "/config.json", (config) => config.process);
if (process_ !== undefined) without(process_, (config) => config);
try {
  execFileSync(${JSON.stringify(runc)}, args, { stdio: "inherit" });
} catch (error) {
  process.exit(error.status ?? 1);
}
`;

export type Podman = {
  /** Starts the pods of these Kubernetes objects. */
  play(objects: readonly object[]): Promise<void>;
  /** Runs a command of podman and returns its output. */
  run(...args: string[]): Promise<string>;
  /** Stops and removes those pods. */
  down(): Promise<void>;
};

/** Podman without systemd, as in a container. `folder` keeps its files. */
export function openPodman(
  { podman: program, runc }: { podman: string; runc: string },
  folder: string,
): Podman {
  const runtime = join(folder, "runtime.cjs");
  writeFileSync(runtime, runtimeScript(runc), { mode: 0o755 });
  const file = join(folder, "pod.yaml");
  const always = ["--runtime", runtime, "--cgroup-manager", "cgroupfs", "--events-backend", "file"];
  const podman = (...args: string[]): Promise<string> => run(program, [...always, ...args]);
  return {
    run: podman,
    async play(objects) {
      writeFileSync(file, objects.map((object) => stringify(object)).join("---\n"));
      await podman("kube", "play", "--network", "host", "--log-driver", "k8s-file", file);
    },
    async down() {
      await podman("kube", "down", file);
    },
  };
}
