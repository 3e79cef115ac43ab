import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  ALLOWED_FOR_WORK,
  ALLOWED_LICENCES,
  isAllowedLicence,
} from "../../tools/licenses/license-rules.ts";
import { type LockedPackage, readLockedPackages } from "../../tools/licenses/locked-packages.ts";
import { sbomOf } from "../../tools/licenses/sbom.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";

const USAGE = `npm run licences [-- --out FILE] [--project FOLDER]
Fails where package-lock.json names a package whose licence is not on the list of tools/licenses/license-rules.ts, and prints each of them.
Else prints a CycloneDX 1.6 bill of materials, or writes it to FILE.`;

/** `npm run licences`. Answers the exit code. */
function main(): number {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      project: { type: "string", default: ROOT },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const packages = readLockedPackages(values.project);
  const offenders = packages.filter(
    ({ licence, scope }) =>
      !isAllowedLicence(licence, scope === "dev" ? ALLOWED_FOR_WORK : ALLOWED_LICENCES),
  );
  if (offenders.length > 0) {
    console.error(
      `${offenders.length} of ${packages.length} packages have a licence that is not allowed:\n${offenders.map(line).join("\n")}`,
    );
    return 1;
  }
  const { name, version, license } = JSON.parse(
    readFileSync(join(values.project, "package.json"), "utf8"),
  ) as Record<string, string>;
  const sbom = JSON.stringify(
    sbomOf({ name: name ?? "", version: version ?? "", licence: license ?? "NONE" }, packages),
    undefined,
    2,
  );
  if (values.out === undefined) console.log(sbom);
  else writeFileSync(values.out, `${sbom}\n`);
  console.error(`${packages.length} packages, all under allowed licences`);
  return 0;
}

function line({ path, version, licence, scope }: LockedPackage): string {
  return `  ${licence === "NONE" ? "no licence" : licence}: ${path}@${version} (${scope})`;
}

process.exitCode = main();
