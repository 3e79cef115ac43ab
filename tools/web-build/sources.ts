import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../root.ts";

export const PUBLIC = join(ROOT, "public");
export const DIST = join(PUBLIC, "dist");
/** Code that the web app shares with the engine. */
const SHARED = ["calendar", "qr"].map((name) => join(ROOT, "lib", name));
const STAMP = ".stamp";

/** Hashes everything that the web app is made of: its files, the packages, and its build. */
export function stampOfSources(): string {
  const hash = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json")));
  for (const folder of [PUBLIC, ...SHARED, import.meta.dirname])
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      if (path === "dist" || path.startsWith(`dist/`)) continue;
      const file = join(folder, path);
      if (/\.\w+$/.test(path)) hash.update(`${path}\n`).update(readFileSync(file));
    }
  return hash.digest("hex");
}

/** Whether public/dist was built from these sources. */
export function isBuiltFrom(stamp: string): boolean {
  const file = join(DIST, STAMP);
  return existsSync(file) && readFileSync(file, "utf8") === stamp;
}

export function stampFile(folder: string): string {
  return join(folder, STAMP);
}
