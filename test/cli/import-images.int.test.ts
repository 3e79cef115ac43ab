import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Imports, startImports } from "../support/processes/import-program.ts";

const IMPORTED = "imported 7, updated 0, unchanged 0, repeated 0, refused 0";
const PRIVATE = "its host is not on the public internet";

describe("boxoffice import --images", () => {
  let imports: Imports;
  before(async () => {
    imports = await startImports();
  });
  after(() => imports.close());

  const feed = JSON.stringify(
    Array.from({ length: 7 }, (_, index) => ({
      name: `Show ${index}`,
      date: "2099-05-01",
      location: "Oslo",
      image: `https://127.0.0.1/${index}.jpg`,
    })),
  );

  it("asks for no picture without the option", async () => {
    const { code, lines, errors } = await imports.run(["-"], feed);
    assert.deepEqual([code, lines, errors], [0, [IMPORTED], ""]);
  });

  it("tells the first failures and their sum, and imports all events", async () => {
    const { code, lines, errors } = await imports.run(["-", "--images"], feed);
    assert.deepEqual([code, errors], [0, "fetching 7 pictures\n"]);
    const [report = ""] = lines.splice(-2, 1);
    assert.deepEqual(
      lines.slice(0, 5).sort(),
      [0, 1, 2, 3, 4].map((index) => `picture, Show ${index}: ${PRIVATE}`),
    );
    assert.deepEqual(lines.slice(5), [
      "and 2 more pictures failed",
      "pictures: stored 0, unchanged 0, failed 7, removed 0",
      IMPORTED.replace("imported 7, updated 0, unchanged 0", "imported 0, updated 0, unchanged 7"),
    ]);
    const named = readFileSync(report.replace("report: ", ""), "utf8").trimEnd().split("\n");
    assert.equal(named.length, 7);
    assert.deepEqual(JSON.parse(named[6] ?? ""), {
      what: "picture",
      name: "Show 6",
      reason: PRIVATE,
    });
  });
});
