import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const TEXT = /\.(?:css|html|js|json|svg|txt|webmanifest)$/;

export type Sizes = Map<string, { plain: number; gzip: number; brotli: number }>;

/** Writes `.br` and `.gz` beside every text file of a build. Returns sizes in bytes by path. */
export async function compressFolder(folder: string): Promise<Sizes> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    TEXT.test(path),
  );
  const sizes = paths.map(async (path) => {
    const text = readFileSync(join(folder, path));
    const [brotli, zipped] = await Promise.all([
      promisify(brotliCompress)(text, {
        params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
      }),
      promisify(gzip)(text, { level: constants.Z_BEST_COMPRESSION }),
    ]);
    writeFileSync(join(folder, `${path}.br`), brotli);
    writeFileSync(join(folder, `${path}.gz`), zipped);
    return [path, { plain: text.length, gzip: zipped.length, brotli: brotli.length }] as const;
  });
  return new Map(await Promise.all(sizes));
}
