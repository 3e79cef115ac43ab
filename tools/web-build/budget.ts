/** What Vite says of its chunks, by source file. */
export type Manifest = Record<
  string,
  { file: string; imports?: string[]; dynamicImports?: string[] }
>;

/** JavaScript of the first load, compressed with gzip (brotli, which browsers get, is smaller). Languages and the operators' page come later. */
export const BUDGET_BYTES = 150_000;

/** The scripts that a first visit loads: these entries and all that they import, and the sum of their sizes. Throws where an entry is not there. */
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
