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

/**
 * Lists the global names that code uses, with their lines: plain or behind a dot (`Date`,
 * `Math.random`, `process.env`, `new Date()` without an argument).
 */
export function usesOf({ path, text }: SourceFile): { name: string; line: number }[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const uses: { name: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const name = nameOf(node);
    if (name !== undefined)
      uses.push({ name, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1 });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}

function nameOf(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const { expression } = node;
    if (ts.isIdentifier(expression)) return `${expression.text}.${node.name.text}`;
    if (ts.isPropertyAccessExpression(expression))
      return `${expression.name.text}.${node.name.text}`;
  }
  if (
    ts.isElementAccessExpression(node) &&
    ts.isIdentifier(node.expression) &&
    ts.isStringLiteral(node.argumentExpression)
  )
    return `${node.expression.text}.${node.argumentExpression.text}`;
  if (
    ts.isNewExpression(node) &&
    ts.isIdentifier(node.expression) &&
    (node.arguments?.length ?? 0) === 0
  )
    return `new ${node.expression.text}()`;
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression))
    return `${node.expression.text}()`;
  // `const { env } = process`: the names that a pattern takes from an object.
  if (ts.isBindingElement(node) && ts.isVariableDeclaration(node.parent.parent)) {
    const { initializer } = node.parent.parent;
    const taken = node.propertyName ?? node.name;
    if (initializer !== undefined && ts.isIdentifier(initializer) && ts.isIdentifier(taken))
      return `${initializer.text}.${taken.text}`;
  }
  return ts.isIdentifier(node) ? node.text : undefined;
}
