import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";

const NPM = "usr/local/lib/node_modules/npm";
/** What apt keeps, and an image does not need. */
const KEPT_BY_APT = ["var/lib/apt/lists", "var/cache/apt/archives", "var/cache/apt/pkgcache.bin"];

type Programs = { podman: string; debootstrap: string };

/**
 * Makes an image that stands for `node:24-slim`: Debian of this machine's release from its own
 * mirror, with this process's Node and the npm of this machine's version. Returns its name. Needs
 * root.
 */
export async function makeBaseImage(
  { podman, debootstrap }: Programs,
  folder: string,
): Promise<string> {
  const { suite, mirror } = await debian();
  const tree = join(folder, "base");
  await run(debootstrap, [
    "--variant=minbase",
    "--include=ca-certificates,libatomic1",
    suite,
    tree,
    ...mirror,
  ]);
  for (const path of KEPT_BY_APT) rmSync(join(tree, path), { recursive: true, force: true });
  cpSync(process.execPath, join(tree, "usr/local/bin/node"), { dereference: true });
  const npm = `npm@${(await run("npm", ["--version"])).trim()}`;
  const packed = (await run("npm", ["pack", "--silent", "--pack-destination", folder, npm])).trim();
  mkdirSync(join(tree, NPM), { recursive: true });
  await run("tar", ["-C", join(tree, NPM), "--strip-components=1", "-xf", join(folder, packed)]);
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(tree, "usr/local/bin/npm"));
  const archive = join(folder, "base.tar");
  await run("tar", ["-C", tree, "-cf", archive, "."]);
  rmSync(tree, { recursive: true });
  const name = `localhost/boxoffice-base:${suite}-node-${process.versions.node}`;
  await run(podman, ["import", archive, name]);
  rmSync(archive);
  return name;
}

/** The release and the mirror that apt uses here; Debian's stable release where there is no apt. */
async function debian(): Promise<{ suite: string; mirror: string[] }> {
  const format = ["--format", "$(CODENAME) $(REPO_URI)", "Identifier: Packages"];
  const lines = await run("apt-get", ["indextargets", ...format]).catch(() => "");
  const first = lines.split("\n").find((line) => /^[a-z]+ http/.test(line));
  const [suite = "stable", ...mirror] = first?.split(" ") ?? [];
  return { suite, mirror };
}
