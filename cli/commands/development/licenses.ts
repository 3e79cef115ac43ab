import { writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { allowedFor, isAllowedLicense } from "../../../tools/licenses/license-rules.ts";
import { type LockedPackage, readLockedPackages } from "../../../tools/licenses/locked-packages.ts";
import { billOfMaterials } from "../../../tools/licenses/sbom.ts";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting } from "../../options.ts";

type Options = { sbom?: string; project: string };

export function define(command: Command): void {
  command
    .description(
      "Checks that every package of package-lock.json has a license that " +
        "tools/licenses/license-rules.ts allows, and prints those that have not. Writes a CycloneDX " +
        "bill of materials (npm sbom) on request.",
    )
    .option("--sbom <file>", "write the bill of materials there; - for standard output")
    .addOption(new Option("--project <folder>", "the project").default(ROOT, "this one"))
    .addHelpText("after", examples(["licenses --sbom sbom.json", "checks, then writes"]))
    .action(exiting(run));
}

function run({ sbom, project }: Options): number {
  const packages = readLockedPackages(project);
  const offenders = packages.filter((one) => !isAllowedLicense(one.license, allowedFor(one)));
  if (offenders.length > 0) {
    console.error(
      `${offenders.length} of ${packages.length} packages have a license that is not allowed:\n` +
        offenders.map(line).join("\n"),
    );
    return 1;
  }
  if (sbom === "-") console.log(billOfMaterials(project));
  else if (sbom !== undefined) writeFileSync(sbom, `${billOfMaterials(project)}\n`);
  console.error(`${packages.length} packages, each with an allowed license`);
  return 0;
}

function line({ path, version, license, scope }: LockedPackage): string {
  return `  ${license === "NONE" ? "no license" : license}: ${path}@${version} (${scope})`;
}
