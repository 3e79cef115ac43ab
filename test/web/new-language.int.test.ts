// Builds the web app with one more file of texts: nothing else is needed for a new language.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "vite";
import type { Manifest } from "../../tools/web-build/budget.ts";
import { PUBLIC } from "../../tools/web-build/sources.ts";
import { ROOT } from "../../tools/root.ts";

describe("a new language", () => {
  let folder: string;
  before(() => {
    mkdirSync(join(ROOT, ".data"), { recursive: true });
    // Inside the repository, so that the build finds its packages.
    folder = mkdtempSync(join(ROOT, ".data", "new-language-"));
    for (const part of ["src", "static", "index.html", "tsconfig.json", "vite.config.ts"])
      cpSync(join(PUBLIC, part), join(folder, "public", part), { recursive: true });
    for (const part of ["lib", "tsconfig.json"])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("needs its file of texts and no other change", async () => {
    const locales = join(folder, "public", "src", "locales");
    const english = readFileSync(join(locales, "en-texts.ts"), "utf8");
    const dutch = english.replace("What would you like to see?", "Wat wilt u zien?");
    writeFileSync(join(locales, "nl-texts.ts"), dutch);
    const outDir = join(folder, "dist");
    await build({
      configFile: join(folder, "public", "vite.config.ts"),
      logLevel: "error",
      build: { outDir, emptyOutDir: true },
    });
    const read = (file: string): string => readFileSync(join(outDir, file), "utf8");
    const manifest = JSON.parse(read(".vite/manifest.json")) as Manifest;
    const texts = manifest["src/locales/nl-texts.ts"] ?? assert.fail("no chunk of its own");
    assert.match(read(texts.file), /Wat wilt u zien\?/);
    const scripts = Object.values(manifest).filter(({ file }) => file.endsWith(".js"));
    const names = scripts.filter(({ file }) => read(file).includes("Nederlands"));
    assert.equal(names.length, 1, "the app lists the language by its own name");
    const entry = manifest["index.html"] ?? assert.fail("no entry");
    assert.ok(
      entry.dynamicImports?.includes("src/locales/nl-texts.ts"),
      "the entry script can load it",
    );
  });
});
