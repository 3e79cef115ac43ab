// Each check of the manifests finds a fault that is planted in a copy of them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build, copyManifests, findBuilder, plant } from "../support/manifests/build.ts";
import { PLANTED_FAULTS } from "../support/manifests/planted-faults.ts";
import { policyErrors } from "../support/manifests/policy.ts";
import { schemaErrors, typeErrors } from "../support/manifests/schemas.ts";

const builder = findBuilder();
const skip = builder === undefined ? "neither kubectl nor kustomize is installed" : false;

describe("planted faults of manifests", { skip }, () => {
  let folder: string;
  let kubernetes: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-planted-"));
    kubernetes = copyManifests(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const { file, from, to, caught, words } of PLANTED_FAULTS)
    it(`are caught at ${to.trim().split("\n")[0]} in ${file}`, async () => {
      const putBack = plant(join(kubernetes, file), from, to);
      const overlay = file.includes("production") ? "production" : "minikube";
      try {
        const find = { schema: schemaErrors, types: typeErrors, policy: policyErrors };
        if (caught === "builder")
          assert.throws(() => build(builder ?? ["kubectl"], kubernetes, overlay), words);
        else {
          const errors = await find[caught](build(builder ?? ["kubectl"], kubernetes, overlay));
          assert.ok(
            errors.some((error) => words.test(error)),
            `${caught} says ${JSON.stringify(errors.slice(0, 5))}`,
          );
        }
      } finally {
        putBack();
      }
    });
});
