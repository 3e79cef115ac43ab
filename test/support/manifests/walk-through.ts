import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../../../cli/create-program.ts";
import { ROOT } from "../../../tools/root.ts";
import type { Manifest } from "./build.ts";
import { megabytes, minimumRequests, thousandths } from "./requests.ts";
import { workloadsOf } from "./workloads.ts";

const RECORDED = ["git", "minikube", "kubectl", "docker", "npx", "curl", "sudo", "crane"];
const ANSWERS: Readonly<Record<string, string>> = {
  minikube: '\n[ "$1" != ip ] || echo 192.0.2.7',
  sudo: "\ncat > /dev/null",
};

/** The lines of a section's shell blocks. */
export function shellOf(page: string, heading: string): string {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text]) => text).join("");
}

/**
 * Runs shell lines where each program outside of the shell is one that writes down its words. They
 * run in a folder of their own, and stop at the first error.
 */
export function record(script: string, folder: string): string[][] {
  const programs = join(folder, "programs");
  const log = join(folder, "log");
  mkdirSync(join(folder, "kubernetes", "overlays", "production"), { recursive: true });
  mkdirSync(programs, { recursive: true });
  writeFileSync(log, "");
  for (const name of RECORDED) {
    const answers = ANSWERS[name] ?? "";
    const text = `#!/bin/sh\n{ printf '%s\\t' ${name} "$@"; echo; } >> '${log}'${answers}\n`;
    writeFileSync(join(programs, name), text);
    chmodSync(join(programs, name), 0o755);
  }
  execFileSync("bash", ["-euo", "pipefail", "-c", script], {
    cwd: folder,
    env: { PATH: `${programs}:/usr/bin:/bin` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return readFileSync(log, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t").slice(0, -1));
}

/** Says what is wrong with recorded commands, judged by the overlay that they apply. */
export async function commandErrors(
  commands: readonly (readonly string[])[],
  manifests: readonly Manifest[],
): Promise<string[]> {
  const errors: string[] = [];
  for (const [program = "", ...words] of commands) {
    const found =
      program === "kubectl"
        ? await kubectl(words, manifests)
        : program === "npx"
          ? await boxoffice(words.slice(1))
          : (OTHERS[program]?.(words, manifests) ?? []);
    errors.push(...found.map((error) => `${program} ${words.join(" ")}: ${error}`));
  }
  return errors;
}

type Judge = (words: readonly string[], manifests: readonly Manifest[]) => string[];

const OTHERS: Readonly<Record<string, Judge>> = {
  minikube: (words, manifests) => {
    if (words[0] !== "start") return [];
    const option = (name: string): string => words[words.indexOf(name) + 1] ?? "";
    const { cpu, memory } = minimumRequests(manifests);
    const addons = option("--addons").split(",");
    return [
      ...["metrics-server", "ingress"]
        .filter((addon) => !addons.includes(addon))
        .map((addon) => `no addon ${addon}`),
      // Kubernetes' own pods, Calico, the ingress and cert-manager need about one core and 1.5 GB.
      ...(thousandths(option("--cpus")) >= cpu + 1_000 ? [] : [`pods request ${cpu} m of CPU`]),
      ...(megabytes(option("--memory").replace("g", "Gi")) >= memory + 1_536
        ? []
        : [`pods request ${memory} MB`]),
    ];
  },
  docker: (words) => {
    const file = words[words.indexOf("-f") + 1] ?? "";
    return existsSync(join(ROOT, file)) ? [] : [`${file} is not there`];
  },
  curl: (words, manifests) => {
    const { hostname, pathname } = new URL(words.at(-1) ?? "");
    const hosts = manifests
      .filter(({ kind }) => kind === "Ingress")
      .flatMap(({ spec }) => (spec as { rules: { host: string }[] }).rules.map(({ host }) => host));
    return hosts.includes(hostname) && pathname.startsWith("/api/")
      ? []
      : [`no Ingress answers to ${hostname}`];
  },
};

async function kubectl(words: readonly string[], manifests: readonly Manifest[]) {
  const [verb = "", ...rest] = words[0] === "-n" ? words.slice(2) : words;
  const find = (kind: string, name: string): Manifest | undefined =>
    manifests.find(
      (one) => one.kind.toLowerCase() === kind.toLowerCase() && one.metadata.name === name,
    );
  if (verb === "apply")
    return existsSync(join(ROOT, rest[rest.indexOf("-k") + 1] ?? "")) ? [] : ["no such overlay"];
  if (verb === "label") {
    const [name = "", value = ""] = (rest.at(-1) ?? "").split("=");
    const selected = JSON.stringify({ namespaceSelector: { matchLabels: { [name]: value } } });
    return JSON.stringify(manifests).includes(selected) ? [] : ["no network policy selects it"];
  }
  const [kind = "", name = ""] = (rest.find((word) => /^[a-z]+\/[\w-]+$/.test(word)) ?? "").split(
    "/",
  );
  const object = find(kind, name);
  if (object === undefined) return [`${kind}/${name} is not in the overlay`];
  if (verb === "port-forward") {
    const port = Number((rest.at(-1) ?? "").split(":").at(-1));
    const { ports } = object.spec as { ports: { port: number }[] };
    return ports.some((one) => one.port === port) ? [] : [`the service has no port ${port}`];
  }
  if (verb === "exec") {
    const [, , ...command] = rest.slice(rest.indexOf("--") + 1);
    const nodes = workloadsOf([object]).filter(({ labels }) => labels["boxoffice/node"] === "true");
    return [...(nodes.length === 0 ? ["not a node"] : []), ...(await boxoffice(command))];
  }
  return ["wait", "rollout"].includes(verb) ? [] : [`${verb} is not known to this test`];
}

/** Parses a command line of the program, without its action. */
async function boxoffice(words: readonly string[]): Promise<string[]> {
  let error = "";
  const output = { writeOut: () => undefined, writeErr: (text: string) => (error += text) };
  const program = await createProgram(({ name }) => name === words[0], output);
  let command = program.commands.find((one) => one.name() === words[0]);
  if (command === undefined) return [`there is no command ${words[0]}`];
  const nested = command.commands.find((one) => one.name() === words[1]);
  command = nested ?? command;
  command.action(() => undefined);
  await program.parseAsync([...words], { from: "user" }).catch((thrown: unknown) => {
    error ||= String(thrown);
  });
  return error === "" ? [] : [error.trim()];
}
