// What we build on: every package of the lock file under a licence we may use, and a bill of materials that says so.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { isAllowedLicence, licenceOfText } from "../../tools/licenses/license-rules.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";

const COMMAND = fileURLToPath(new URL("../../cli/commands/licenses.ts", import.meta.url));

type Ran = { code: number; output: string; errors: string };

function run(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [COMMAND, ...args],
      { maxBuffer: 64_000_000 },
      (error, output, errors) =>
        resolve({ code: typeof error?.code === "number" ? error.code : 0, output, errors }),
    );
  });
}

describe("licences", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "boxoffice-licences-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  /** A project of one package, installed as npm would have it. */
  async function project(
    name: string,
    entry: object,
    installed?: { manifest: object; text?: string },
  ): Promise<string> {
    const root = join(folder, name);
    await mkdir(join(root, "node_modules", name), { recursive: true });
    await writeFile(
      join(root, "package.json"),
      JSON.stringify({ name: "planted", version: "1.0.0", license: "MIT" }),
    );
    const packages = { "": {}, [`node_modules/${name}`]: { version: "2.0.0", ...entry } };
    await writeFile(
      join(root, "package-lock.json"),
      JSON.stringify({ lockfileVersion: 3, packages }),
    );
    if (installed !== undefined) {
      await writeFile(
        join(root, "node_modules", name, "package.json"),
        JSON.stringify(installed.manifest),
      );
      if (installed.text !== undefined)
        await writeFile(join(root, "node_modules", name, "LICENSE"), installed.text);
    }
    return root;
  }

  it("understands expressions: of OR one is enough, of AND all are needed", () => {
    for (const good of [
      "MIT",
      "(MIT OR GPL-3.0-only)",
      "GPL-2.0 OR Apache-2.0",
      "(MIT AND Zlib)",
      "MIT AND (GPL-3.0 OR ISC)",
    ])
      assert.ok(isAllowedLicence(good), good);
    for (const bad of [
      "GPL-3.0-only",
      "AGPL-3.0",
      "MIT AND GPL-3.0",
      "(GPL-2.0 OR LGPL-3.0)",
      "UNLICENSED",
      "SEE LICENSE IN X",
      "NONE",
    ])
      assert.ok(!isAllowedLicence(bad), bad);
    for (const unreadable of [
      "",
      "(MIT",
      "MIT)",
      "MIT OR",
      "MIT Apache-2.0",
      "GPL-2.0 WITH Classpath-exception-2.0",
      "BUSL-1.1",
      "SSPL-1.0",
    ])
      assert.ok(!isAllowedLicence(unreadable), unreadable);
    assert.equal(licenceOfText("All rights reserved."), undefined);
  });

  it("refuses a package under the GPL, without a licence, or with one that nobody knows, and names it", async () => {
    const planted: [string, object, { manifest: object; text?: string }?][] = [
      ["copyleft", { license: "GPL-3.0-only" }],
      ["network-copyleft", { license: "(MIT AND AGPL-3.0-only)", dev: true }],
      ["copyleft-by-file", { license: "MPL-2.0" }],
      ["silent", {}],
      ["closed", {}, { manifest: { name: "closed" }, text: "All rights reserved." }],
      ["old", {}, { manifest: { name: "old", licenses: [{ type: "GPL-2.0" }] } }],
    ];
    for (const [name, entry, installed] of planted) {
      const { code, errors, output } = await run(
        "--project",
        await project(name, entry, installed),
      );
      assert.equal(code, 1, name);
      assert.match(errors, new RegExp(`: node_modules/${name}@2.0.0`));
      assert.equal(output, "");
    }
    const good = await project("spelt", {}, { manifest: { name: "spelt", licence: "MIT" } });
    assert.equal((await run("--project", good)).code, 0);
    const tool = await project("tool", { license: "MPL-2.0", dev: true });
    assert.equal(
      (await run("--project", tool)).code,
      0,
      "what is only worked with may be under the MPL",
    );
  });

  it("finds nothing to refuse in this project, and prints a CycloneDX 1.6 bill of materials", async () => {
    const { code, output, errors } = await run();
    assert.equal(code, 0, errors);
    type Component = Record<"type" | "bom-ref" | "name" | "version" | "purl" | "scope", string> & {
      group?: string;
      licenses: object[];
    };
    type Hashed = Component & { hashes?: { alg: string; content: string }[] };
    const sbom = JSON.parse(output) as {
      bomFormat: string;
      specVersion: string;
      version: number;
      metadata: { component: Component };
      components: Hashed[];
      dependencies: { ref: string; dependsOn: string[] }[];
    };
    assert.deepEqual([sbom.bomFormat, sbom.specVersion, sbom.version], ["CycloneDX", "1.6", 1]);
    assert.deepEqual(
      [sbom.metadata.component.type, sbom.metadata.component.name],
      ["application", "boxoffice"],
    );
    const references = new Set(sbom.components.map((component) => component["bom-ref"]));
    assert.equal(references.size, sbom.components.length, "references are unique");
    for (const component of sbom.components) {
      assert.equal(component.type, "library");
      assert.ok(component.name !== "" && !component.name.includes("/") && component.version !== "");
      assert.match(component.purl, /^pkg:npm\/(?:%40[^/@]+\/)?[^/@]+@[^/@]+$/);
      assert.ok(["required", "optional", "excluded"].includes(component.scope), component.purl);
      assert.equal(component.licenses.length, 1, component.purl);
      const [hash] = component.hashes ?? [];
      assert.match(
        hash?.content ?? "",
        hash?.alg === "SHA-512" ? /^[0-9a-f]{128}$/ : /^[0-9a-f]{40}$/,
        component.purl,
      );
    }
    for (const { ref, dependsOn } of sbom.dependencies)
      assert.ok(
        [ref, ...dependsOn].every((one) => references.has(one)),
        ref,
      );
    const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      const component = sbom.components.find(
        ({ purl }) => purl === `pkg:npm/${name.replace("@", "%40")}@${version}`,
      );
      assert.equal(component?.scope, "required", name);
    }
    assert.equal((await run()).output, output, "the same lock file gives the same document");
  });
});
