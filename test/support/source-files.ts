import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import ts from "typescript";
import { ROOT } from "../../tools/root.ts";

/** A text file of the repository. `path` is relative to its root, with slashes. */
export type SourceFile = { path: string; text: string };

/** Folders that git ignores, and git's own. */
const NOT_OURS = new Set([".git", ".data", "node_modules", "public/dist"]);
const TEXT = new Set([
  "",
  ".css",
  ".html",
  ".js",
  ".json",
  ".lua",
  ".md",
  ".mjs",
  ".sh",
  ".sql",
  ".svg",
  ".ts",
  ".tsx",
  ".yaml",
  ".yml",
]);

/** Lists every text file that we keep tidy, without files that npm writes. */
export function readSourceFiles(): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (NOT_OURS.has(path)) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && TEXT.has(extname(path)) && path !== "package-lock.json")
        files.push({ path, text: readFileSync(join(ROOT, path), "utf8") });
    }
  };
  visit("");
  return files;
}

export function isCode({ path }: SourceFile): boolean {
  return /\.(?:ts|tsx|mjs)$/.test(path);
}

/** A file of ours by its path from the root, or a package or Node module by its name. */
export type Imported = { ours: boolean; name: string };

/** What a file imports, types and dynamic imports included. */
export function importsOf({ path, text }: SourceFile): Imported[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
    const ours = fileName.startsWith(".");
    return { ours, name: ours ? join(dirname(path), fileName) : fileName };
  });
}
