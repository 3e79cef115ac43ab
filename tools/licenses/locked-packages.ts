import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { licenseOfText } from "./license-rules.ts";

/** One package of package-lock.json, at one place in the tree. */
export type LockedPackage = {
  /** As node_modules/a/node_modules/b. */
  path: string;
  version: string;
  /** SPDX, or the package's own words; `NONE` where it has none. */
  license: string;
  /** `dev`: for building and testing only. `optional`: for some machines only. */
  scope: "required" | "optional" | "dev";
};

type Entry = {
  version?: string;
  license?: unknown;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
  link?: boolean;
};

/**
 * Reads the lock file of a project, and installed packages where the lock file has no license.
 * Throws where there is no lock file.
 */
export function readLockedPackages(root: string): LockedPackage[] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Entry>;
  };
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && entry.link !== true)
    .map(([path, entry]) => ({
      path,
      version: entry.version ?? "0.0.0",
      license: spdx(entry.license) ?? installedLicense(join(root, path)) ?? "NONE",
      scope: scopeOf(entry),
    }));
}

function scopeOf({ dev, devOptional, optional }: Entry): LockedPackage["scope"] {
  if (dev === true || devOptional === true) return "dev";
  return optional === true ? "optional" : "required";
}

function installedLicense(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  // Published packages use each of these spellings.
  const { license, licence, licenses } = JSON.parse(readFileSync(file, "utf8")) as Record<
    "license" | "licence" | "licenses",
    unknown
  >;
  const named = spdx(license) ?? spdx(licence) ?? spdx(licenses);
  if (named !== undefined) return named;
  const text = readdirSync(folder).find((name) =>
    /^(?:licen[cs]e|copying)(?:\.(?:md|txt))?$/i.test(name),
  );
  return text === undefined ? undefined : licenseOfText(readFileSync(join(folder, text), "utf8"));
}

/** Old packages have `{ type, url }`, or a list of alternatives. */
function spdx(license: unknown): string | undefined {
  if (typeof license === "string") return license === "" ? undefined : license;
  if (Array.isArray(license)) {
    const each = license.flatMap((one) => spdx(one) ?? []);
    return each.length === 0 ? undefined : each.join(" OR ");
  }
  const type = (license as { type?: unknown } | null | undefined)?.type;
  return typeof type === "string" ? spdx(type) : undefined;
}
