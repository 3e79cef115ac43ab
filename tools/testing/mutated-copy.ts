import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT } from "../root.ts";

/** Replaces the one place of `from` in a file by `to`. */
export type Edit = readonly [file: string, from: string, to: string];

const NOT_COPIED = new Set([".git", ".data", "node_modules"]);

/**
 * The text of a file with the edit made. Layout does not count: white space and trailing commas may
 * differ. Throws unless the text to change is there exactly once: the edit must follow the code.
 */
export function edited(text: string, [file, from, to]: Edit): string {
  const parts = text.split(patternOf(from));
  if (parts.length !== 2)
    throw new Error(`${file} has ${parts.length - 1} times, not once:\n${from}`);
  return parts.join(to);
}

/** Matches the same tokens in any layout of the formatter. */
function patternOf(code: string): RegExp {
  const tokens = code.match(/\w+|[^\w\s]/g) ?? [];
  let pattern = "";
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1] ?? "";
    if (/^\w/.test(token) && /\w$/.test(before)) pattern += "\\s+";
    else if (index > 0) pattern += /^[)\]}]$/.test(token) ? ",?\\s*" : "\\s*";
    pattern += token.replace(/[^\w]/g, "\\$&");
  }
  return new RegExp(pattern);
}

/** Copies the working tree to `folder`, where code may be broken; packages are linked. */
export function copyTree(folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (source) => !NOT_COPIED.has(relative(ROOT, source)),
  });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

/** Makes the edits in the copy. Returns a function that reverts them. */
export function takeOut(folder: string, edits: readonly Edit[]): () => void {
  const before = new Map(edits.map(([file]) => [file, readFileSync(join(folder, file), "utf8")]));
  const after = new Map(before);
  for (const edit of edits) after.set(edit[0], edited(after.get(edit[0]) ?? "", edit));
  const write = (files: ReadonlyMap<string, string>): void => {
    for (const [file, text] of files) writeFileSync(join(folder, file), text);
  };
  write(after);
  return () => write(before);
}
