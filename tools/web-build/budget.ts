/** Vite's manifest: chunks by source file. */
export type Manifest = Record<
  string,
  { file: string; imports?: string[]; dynamicImports?: string[] }
>;

/** JavaScript of the first load in bytes, gzip. Languages and `later-pages.ts` load later. */
export const BUDGET_BYTES = 150_000;

/**
 * Returns the scripts of a first visit (the entries and all that they import) and their total size.
 * Throws for a missing entry.
 */
export function firstLoad(
  manifest: Manifest,
  entries: readonly string[],
  sizeOf: (file: string) => number,
): { files: string[]; bytes: number } {
  const files = new Set<string>();
  const visit = (name: string): void => {
    const chunk = manifest[name];
    if (chunk === undefined)
      throw new Error(`The build has no ${name}, so its budget cannot be judged`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach(visit);
  };
  entries.forEach(visit);
  return { files: [...files], bytes: [...files].reduce((sum, file) => sum + sizeOf(file), 0) };
}
