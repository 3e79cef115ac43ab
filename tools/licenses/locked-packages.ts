import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { licenceOfText } from "./license-rules.ts";

/** One package of package-lock.json, at one place in the tree. */
export type LockedPackage = {
  /** node_modules/a/node_modules/b */
  path: string;
  name: string;
  version: string;
  /** SPDX, or what the package says instead; `NONE` where it says nothing at all. */
  licence: string;
  /** Subresource integrity, `sha512-…`. */
  integrity: string | undefined;
  /** `dev`: for building and testing only. `optional`: for some machines only. */
  scope: "required" | "optional" | "dev";
  /** Paths of the packages it depends on. */
  dependsOn: string[];
};

type Entry = {
  name?: string;
  version?: string;
  license?: unknown;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
  link?: boolean;
} & Record<
  "dependencies" | "optionalDependencies" | "peerDependencies",
  Record<string, string> | undefined
>;

/** Reads the lock file of a project, and the installed packages where the lock file does not say a licence. Throws where there is no lock file. */
export function readLockedPackages(root: string): LockedPackage[] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Entry>;
  };
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && entry.link !== true)
    .map(([path, entry]) => {
      const scope =
        entry.dev === true || entry.devOptional === true
          ? "dev"
          : entry.optional === true
            ? "optional"
            : "required";
      const needed = {
        ...entry.dependencies,
        ...entry.optionalDependencies,
        ...entry.peerDependencies,
      };
      return {
        path,
        name: entry.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
        version: entry.version ?? "0.0.0",
        licence: spdx(entry.license) ?? licenceInstalled(join(root, path)) ?? "NONE",
        integrity: entry.integrity,
        scope,
        dependsOn: Object.keys(needed).flatMap((name) => resolved(lock.packages, path, name) ?? []),
      };
    });
}

/** Where Node would find the package: beside the one that asks, else one level further up, and so on. */
function resolved(packages: Record<string, Entry>, from: string, name: string): string | undefined {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))
  ) {
    const path = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (folder === "" || !folder.includes("node_modules/")) return undefined;
  }
}

function licenceInstalled(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  // Three spellings, each found in the wild.
  const { license, licence, licenses } = JSON.parse(readFileSync(file, "utf8")) as Record<
    "license" | "licence" | "licenses",
    unknown
  >;
  const said = spdx(license) ?? spdx(licence) ?? spdx(licenses);
  if (said !== undefined) return said;
  const text = readdirSync(folder).find((name) =>
    /^(?:licen[cs]e|copying)(?:\.(?:md|txt))?$/i.test(name),
  );
  return text === undefined ? undefined : licenceOfText(readFileSync(join(folder, text), "utf8"));
}

/** Old packages say `{ type, url }`, or a list of which any may be chosen. */
function spdx(license: unknown): string | undefined {
  if (typeof license === "string") return license === "" ? undefined : license;
  if (Array.isArray(license)) {
    const each = license.flatMap((one) => spdx(one) ?? []);
    return each.length === 0 ? undefined : each.join(" OR ");
  }
  const type = (license as { type?: unknown } | null | undefined)?.type;
  return typeof type === "string" ? spdx(type) : undefined;
}
