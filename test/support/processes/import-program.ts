import type { Engine } from "../engine.ts";
import { startEngine } from "../engine.ts";
import { writeEngineFile } from "../../../tools/engine/engine-file.ts";
import { BOXOFFICE, startProgram, type Started } from "./boxoffice.ts";

export type Imported = { code: number | null; lines: string[]; errors: string };
type More = Record<string, string>;

/** A catalog, and the command that imports into it. `more`: variables of one run. */
export type Imports = {
  engine: Engine;
  start(
    words: readonly string[],
    more?: More,
  ): Pick<Started, "child"> & { ended: Promise<Imported> };
  /** Imports `feed` from standard input, if the words say so. */
  run(words: readonly string[], feed?: string, more?: More): Promise<Imported>;
  close(): Promise<void>;
};

/** Starts a catalog that `boxoffice import` finds as that of a running engine. */
export async function startImports(): Promise<Imports> {
  const engine = await startEngine({ SERVICES: "catalog" });
  const { dataDir, namespace } = engine.config;
  const forget = writeEngineFile(dataDir, {
    nodeId: "node-1",
    address: undefined,
    urls: engine.environment,
    prometheusUrl: undefined,
  });
  const start: Imports["start"] = (words, more) => {
    const command = startProgram([process.execPath, BOXOFFICE, "import", ...words], {
      DATA_DIR: dataDir,
      BUS_NAMESPACE: namespace,
      ...more,
    });
    const ended = command.ended.then((code) => ({
      code,
      lines: command.out().trimEnd().split("\n"),
      errors: command.error(),
    }));
    return { child: command.child, ended };
  };
  return {
    engine,
    start,
    run(words, feed = "", more = {}) {
      const { child, ended } = start(words, more);
      child.stdin.end(feed);
      return ended;
    },
    async close() {
      forget();
      await engine.close();
    },
  };
}
