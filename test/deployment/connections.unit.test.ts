import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { ROOT } from "../../tools/root.ts";
import { type Manifest, OVERLAYS } from "../support/manifests/build.ts";
import { connectionsOf } from "../support/manifests/connections.ts";

const KUBERNETES = join(ROOT, "kubernetes");

type Generator = { name: string; literals?: string[] };

/** Reads an overlay's files without a builder, which not every machine has. */
function read(overlay: string): Manifest[] {
  const folder = join("overlays", overlay);
  const files = globSync(["base/**/*.yaml", `${folder}/*.yaml`], {
    cwd: KUBERNETES,
    exclude: ["**/kustomization.yaml", "base/engine/node.yaml"],
  });
  const manifests = files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(KUBERNETES, file), "utf8")).map(
      (document) => document.toJS() as Manifest,
    ),
  );
  const literals = ["base/engine", folder].flatMap((place) => {
    const file = join(KUBERNETES, place, "kustomization.yaml");
    const { configMapGenerator = [] } = parse(readFileSync(file, "utf8")) as {
      configMapGenerator?: Generator[];
    };
    return configMapGenerator.flatMap(({ name, literals = [] }) =>
      name === "engine" ? literals : [],
    );
  });
  const data: Record<string, string> = {};
  for (const literal of literals) {
    const [name = "", value = ""] = literal.split("=");
    data[name] = value;
  }
  const engine = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "engine" }, data };
  return [...manifests, engine];
}

describe("connections to PostgreSQL", () => {
  for (const overlay of OVERLAYS)
    it(`of the overlay ${overlay} fit, at the largest scale and in a rollout`, () => {
      const { wanted, sum, maxConnections } = connectionsOf(read(overlay));
      assert.deepEqual(Object.keys(wanted).sort(), [
        "api",
        "auth",
        "backup",
        "catalog",
        "ledger",
        "migrate",
        "notifier",
        "purchasing",
        "reserve",
        "restore-drill",
        "retention",
      ]);
      assert.equal(wanted.api, 0, "the gateway asks other nodes");
      assert.ok((wanted.purchasing ?? 0) > 0 && maxConnections > 0);
      assert.ok(sum <= maxConnections, `${sum} of ${maxConnections}: ${JSON.stringify(wanted)}`);
    });

  it("do not fit with the pools of a node that runs alone", () => {
    const manifests = read("production");
    const engine = manifests.at(-1);
    delete engine?.data?.DATABASE_POOL_MAX;
    const { sum, maxConnections } = connectionsOf(manifests);
    assert.ok(sum > maxConnections, `${sum} of ${maxConnections}`);
  });

  it("are described with the figures of this sum", () => {
    const { wanted, sum, maxConnections } = connectionsOf(read("production"));
    const page = readFileSync(join(ROOT, "docs", "operations.md"), "utf8");
    const { auth, catalog, purchasing, ledger, notifier } = wanted;
    const line = `${sum} of ${maxConnections}: purchasing ${purchasing}, catalog ${catalog}, ledger ${ledger}, auth ${auth}, notifier ${notifier}`;
    assert.ok(page.replaceAll("\n", " ").includes(line), line);
  });
});
