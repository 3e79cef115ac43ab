// The build of the web app: its budget, and the types of its API client.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { apiFiles } from "../../tools/web-build/api-types.ts";
import { BUDGET_BYTES, firstLoad, type Manifest } from "../../tools/web-build/budget.ts";
import { PUBLIC } from "../../tools/web-build/sources.ts";

const MANIFEST: Manifest = {
  "index.html": { file: "boot.js", dynamicImports: ["app.tsx", "de.ts"] },
  "app.tsx": { file: "app.js", imports: ["_react.js"], dynamicImports: ["engine.tsx"] },
  "_react.js": { file: "react.js", imports: ["_shared.js"] },
  "_shared.js": { file: "shared.js" },
  "engine.tsx": { file: "engine.js", imports: ["_shared.js", "_plots.js"] },
  "_plots.js": { file: "plots.js" },
  "de.ts": { file: "de.js" },
};

describe("the budget of the first load", () => {
  it("counts each script of the first page once, and no script that loads later", () => {
    const sizes: Record<string, number> = {
      "boot.js": 1,
      "app.js": 10,
      "react.js": 100,
      "shared.js": 1_000,
    };
    const { files, bytes } = firstLoad(
      MANIFEST,
      ["index.html", "app.tsx"],
      (file) => sizes[file] ?? Number.NaN,
    );
    assert.deepEqual(files, ["boot.js", "app.js", "react.js", "shared.js"]);
    assert.equal(bytes, 1_111);
  });

  it("fails if it cannot be measured", () => {
    assert.throws(() => firstLoad({}, ["index.html"], () => 1), /has no index.html/);
    const unknown = firstLoad(MANIFEST, ["index.html"], () => Infinity);
    assert.ok(unknown.bytes > BUDGET_BYTES);
  });
});

describe("the font", () => {
  it("is one file of 30 kB at most that the page preloads by the name of its style", () => {
    const name = "/fonts/figtree-5.3.0.woff2";
    const bytes = readFileSync(join(PUBLIC, "static", name));
    assert.ok(bytes.length <= 30_000, `${bytes.length} bytes`);
    assert.ok(readFileSync(join(PUBLIC, "index.html"), "utf8").includes(`href="${name}"`));
    const style = readFileSync(join(PUBLIC, "src", "styles", "fonts.css"), "utf8");
    assert.ok(style.includes(`url("${name}")`));
  });
});

describe("the client's types and limits", () => {
  it("are those of the OpenAPI document that is served", async () => {
    for (const [file, text] of Object.entries(await apiFiles()))
      assert.ok(
        readFileSync(file, "utf8") === text,
        "The contract has changed: npx boxoffice api-types, then npx boxoffice check",
      );
  });
});
