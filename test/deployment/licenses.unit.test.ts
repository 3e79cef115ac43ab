// Every package of the lock file has a license that allows its use; the bill of materials names
// all.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { processEnvironment } from "../../config/index.ts";
import { isAllowedLicense, licenseOfText } from "../../tools/licenses/license-rules.ts";
import { ROOT } from "../../tools/root.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";

const run = (...args: string[]) => runBoxoffice(processEnvironment(), ["licenses", ...args]);

describe("licenses", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "boxoffice-licenses-"))));
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
      assert.ok(isAllowedLicense(good), good);
    for (const bad of [
      "GPL-3.0-only",
      "AGPL-3.0",
      "MIT AND GPL-3.0",
      "(GPL-2.0 OR LGPL-3.0)",
      "UNLICENSED",
      "SEE LICENSE IN X",
      "NONE",
    ])
      assert.ok(!isAllowedLicense(bad), bad);
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
      assert.ok(!isAllowedLicense(unreadable), unreadable);
    assert.equal(licenseOfText("All rights reserved."), undefined);
  });

  it("refuses a package under the GPL, without a license, or with an unknown one, and names it", async () => {
    const planted: [string, object, { manifest: object; text?: string }?][] = [
      ["copyleft", { license: "GPL-3.0-only" }],
      ["network-copyleft", { license: "(MIT AND AGPL-3.0-only)", dev: true }],
      ["copyleft-by-file", { license: "MPL-2.0" }],
      ["silent", {}],
      ["closed", {}, { manifest: { name: "closed" }, text: "All rights reserved." }],
      ["old", {}, { manifest: { name: "old", licenses: [{ type: "GPL-2.0" }] } }],
    ];
    for (const [name, entry, installed] of planted) {
      const { code, error, out } = await run("--project", await project(name, entry, installed));
      assert.equal(code, 1, name);
      assert.match(error, new RegExp(`: node_modules/${name}@2.0.0`));
      assert.equal(out, "");
    }
    const good = await project("spelt", {}, { manifest: { name: "spelt", licence: "MIT" } });
    assert.equal((await run("--project", good)).code, 0);
    const tool = await project("tool", { license: "MPL-2.0", dev: true });
    assert.equal((await run("--project", tool)).code, 0, "a development tool may be under the MPL");
  });

  it("accepts every package of this project, and writes npm's CycloneDX bill of materials", async () => {
    const { code, out, error } = await run("--sbom", "-");
    assert.equal(code, 0, error);
    const sbom = JSON.parse(out) as {
      bomFormat: string;
      metadata: { component: { type: string; purl: string } };
      components: { purl: string; hashes?: { alg: string; content: string }[] }[];
    };
    assert.equal(sbom.bomFormat, "CycloneDX");
    assert.equal(sbom.metadata.component.type, "application");
    assert.match(sbom.metadata.component.purl, /^pkg:npm\/boxoffice@/);
    const purls = new Set(sbom.components.map(({ purl }) => purl));
    const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version?: string }>;
    };
    for (const [path, { version }] of Object.entries(lock.packages)) {
      if (path === "") continue;
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const purl = `pkg:npm/${name.replace("@", "%40")}@${version ?? ""}`;
      assert.ok(purls.has(purl), purl);
    }
    for (const { purl, hashes } of sbom.components)
      assert.match(hashes?.[0]?.content ?? "", /^[0-9a-f]{128}$/, purl);
  });
});
