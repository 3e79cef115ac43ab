import type { LockedPackage } from "./locked-packages.ts";

const SCOPES = ["dev", "optional", "required"];

export type Product = { name: string; version: string; licence: string };

/**
 * A CycloneDX 1.6 bill of materials of everything the lock file names: what it is, under which licence, with the hash npm checks at every
 * install, and what depends on what. Nothing in it depends on the moment or the machine: the same lock file gives the same document.
 */
export function sbomOf(product: Product, packages: readonly LockedPackage[]): object {
  const references = new Map(packages.map((one) => [one.path, purlOf(one.name, one.version)]));
  // A package that is needed in one place and a tool in another is needed: the last of a name and version counts.
  const needed = [...packages].sort((a, b) => SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope));
  const components = new Map(
    needed.map((one) => [
      purlOf(one.name, one.version),
      {
        type: "library",
        "bom-ref": purlOf(one.name, one.version),
        ...nameOf(one.name),
        version: one.version,
        scope: one.scope === "dev" ? "excluded" : one.scope,
        ...(one.integrity === undefined ? {} : { hashes: hashesOf(one.integrity) }),
        licenses: licencesOf(one.licence),
        purl: purlOf(one.name, one.version),
      },
    ]),
  );
  const dependencies = new Map<string, Set<string>>();
  for (const { path, dependsOn } of packages) {
    const reference = references.get(path) ?? "";
    const known = dependencies.get(reference) ?? new Set();
    for (const other of dependsOn) known.add(references.get(other) ?? "");
    dependencies.set(reference, known);
  }
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": purlOf(product.name, product.version),
        name: product.name,
        version: product.version,
        licenses: licencesOf(product.licence),
        purl: purlOf(product.name, product.version),
      },
    },
    components: [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
    dependencies: [...dependencies].map(([ref, dependsOn]) => ({
      ref,
      dependsOn: [...dependsOn].sort(),
    })),
  };
}

/** https://github.com/package-url/purl-spec: the scope of an npm name is its namespace, and its @ is encoded. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${encodeURIComponent(version)}`;
}

function nameOf(name: string): { group?: string; name: string } {
  const [scope, rest] = name.split("/");
  return rest === undefined ? { name } : { group: scope ?? "", name: rest };
}

function hashesOf(integrity: string): { alg: string; content: string }[] {
  return integrity.split(/\s+/).flatMap((hash) => {
    const [algorithm = "", text = ""] = hash.split(/-(.*)/s);
    const alg = { sha512: "SHA-512", sha384: "SHA-384", sha256: "SHA-256", sha1: "SHA-1" }[
      algorithm
    ];
    return alg === undefined ? [] : [{ alg, content: Buffer.from(text, "base64").toString("hex") }];
  });
}

/** A single identifier, an expression, or a name that is neither. */
function licencesOf(licence: string): object[] {
  if (/\s(?:AND|OR|WITH)\s/.test(licence)) return [{ expression: licence }];
  return /^[\w.+-]+$/.test(licence) && licence !== "NONE" && licence !== "UNLICENSED"
    ? [{ license: { id: licence } }]
    : [{ license: { name: licence } }];
}
