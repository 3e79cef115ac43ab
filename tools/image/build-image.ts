import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnvironment } from "../../config/index.ts";
import { provideBinaries } from "../dev-servers/packages.ts";
import { type Report, secondsSince, ServerProblem } from "../dev-servers/server-problem.ts";
import { currentRevision } from "../documents/revision.ts";
import { ROOT } from "../root.ts";
import { makeBaseImage } from "./base-image.ts";
import { run } from "./run.ts";

const CA_FILE = "/run/npm-ca.pem";

/**
 * Builds the image of the Containerfile with podman. Without `base` its base is made here, so no
 * registry of images is needed: only Debian's mirror and npm's registry. Needs root then. Throws a
 * ServerProblem with the last lines of what failed.
 */
export async function buildImage(
  { name, base }: { name: string; base?: string },
  report: Report,
): Promise<void> {
  if (base === undefined && process.getuid?.() !== 0)
    throw new ServerProblem(
      "debootstrap needs root: run this with sudo, or give a base (--base node:24-slim).",
    );
  const { podman = "podman", debootstrap = "" } = await provideBinaries(
    base === undefined ? ["podman", "debootstrap"] : ["podman"],
    report,
  );
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-image-"));
  try {
    const started = performance.now();
    if (base === undefined) report("making a base from Debian's packages");
    const from = base ?? (await makeBaseImage({ podman, debootstrap }, folder));
    report(`building on ${from} (${secondsSince(started)})`);
    const revision = currentRevision();
    await run(podman, [
      "build",
      ...["--file", join(ROOT, "Containerfile"), "--tag", name],
      ...["--build-arg", `BASE=${from}`, "--build-arg", `REVISION=${revision}`],
      // A healthcheck is in Docker's format only.
      ...["--format", "docker", "--layers=false", "--isolation", "chroot", "--network", "host"],
      ...(await npmSettings(folder)),
      ROOT,
    ]);
    const bytes = await run(podman, ["image", "inspect", "--format", "{{.Size}}", name]);
    report(`${name} is built: ${Math.round(Number(bytes) / 1e6)} MB (${secondsSince(started)})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Mounts the registry of this machine's npm, and the authorities that it trusts, for the build
 * only: what is mounted is in no layer.
 */
async function npmSettings(folder: string): Promise<string[]> {
  const setting = async (name: string): Promise<string> =>
    (await run("npm", ["config", "get", name])).trim();
  const file = join(folder, "npmrc");
  const { NODE_EXTRA_CA_CERTS: cafile = await setting("cafile") } = processEnvironment();
  const hasOwn = cafile !== "null";
  const lines = [`registry=${await setting("registry")}`, ...(hasOwn ? [`cafile=${CA_FILE}`] : [])];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return [
    ...["--volume", `${file}:/usr/local/etc/npmrc:ro`],
    ...(hasOwn ? ["--volume", `${cafile}:${CA_FILE}:ro`] : []),
  ];
}
