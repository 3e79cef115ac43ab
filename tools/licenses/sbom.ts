import { spawnSync } from "node:child_process";
import { messageOf, ServerProblem } from "../dev-servers/server-problem.ts";

const ARGUMENTS = [
  "sbom",
  "--sbom-format=cyclonedx",
  "--sbom-type=application",
  "--package-lock-only",
];
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

/** Returns npm's CycloneDX bill of materials of a project's package-lock.json. */
export function billOfMaterials(project: string): string {
  const { status, stdout, stderr, error } = spawnSync("npm", ARGUMENTS, {
    cwd: project,
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (status === 0) return stdout.trim();
  const reason = error === undefined ? stderr.trim() : messageOf(error);
  throw new ServerProblem(`npm sbom failed: ${reason}`);
}
