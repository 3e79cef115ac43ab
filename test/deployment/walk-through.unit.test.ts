// The commands of docs/kubernetes.md run against programs that write down their words. Each names
// what the overlay has, and what the CLI knows.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ROOT } from "../../tools/root.ts";
import { build, copyManifests, findBuilder, type Manifest } from "../support/manifests/build.ts";
import { commandErrors, record, shellOf } from "../support/manifests/walk-through.ts";

const builder = findBuilder();
const skip = builder === undefined ? "neither kubectl nor kustomize is installed" : false;
const page = readFileSync(join(ROOT, "docs", "kubernetes.md"), "utf8");

describe("the commands of docs/kubernetes.md", { skip }, () => {
  let folder: string;
  let minikube: Manifest[];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-walk-"));
    minikube = build(builder ?? ["kubectl"], copyManifests(folder), "minikube");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const judge = (script: string): Promise<string[]> =>
    commandErrors(record(script, join(folder, "run")), minikube);

  it("lead through Minikube, each with what the overlay has", async () => {
    const commands = record(shellOf(page, "Minikube"), join(folder, "minikube"));
    assert.ok(commands.length > 14, commands.map((words) => words.join(" ")).join("\n"));
    assert.deepEqual(
      ["minikube", "docker", "npx", "kubectl", "curl", "sudo"].filter(
        (program) => !commands.some(([name]) => name === program),
      ),
      [],
    );
    assert.deepEqual(await commandErrors(commands, minikube), []);
  });

  it("prepare production with commands that the program has", async () => {
    const commands = record(shellOf(page, "Production"), join(folder, "production"));
    assert.ok(commands.filter(([program]) => program === "npx").length === 3);
    assert.deepEqual(await commandErrors(commands, minikube), []);
  });

  for (const [from, to, words] of [
    ["job/migrate", "job/migration", /job\/migration is not in the overlay/],
    ["boxoffice/ingress=true", "boxoffice/ingress=yes", /no network policy selects it/],
    ["--memory 12g", "--memory 6g", /pods request \d+ MB/],
    ["--cpus 4", "--cpus 2", /pods request \d+ m of CPU/],
    ["metrics-server,ingress", "metrics-server", /no addon ingress/],
    ["http://boxoffice.local/", "http://tickets.local/", /no Ingress answers to tickets\.local/],
    ["3001:3000", "3001:80", /the service has no port 80/],
    ["mjs demo", "mjs demos", /no command demos/],
    ["user grant ada@example.com operator", "user grant ada operator", /e-mail/],
    ["repl --as", "repl --us", /unknown option/],
    ["overlays/minikube\n", "overlays/laptop\n", /no such overlay/],
    ["-f Containerfile", "-f Dockerfile", /Dockerfile is not there/],
  ] as const)
    it(`are wrong with ${to.trim()}`, async () => {
      const script = shellOf(page, "Minikube");
      assert.ok(script.includes(from), from);
      assert.match((await judge(script.replace(from, to))).join("\n"), words);
    });
});
