// The code base checks itself: rooms, their direction, and what documents promise.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Imported,
  importsOf,
  isCode,
  readSourceFiles,
  type SourceFile,
  usesOf,
} from "../support/source-files.ts";

const files = readSourceFiles();
const code = files.filter(isCode);

/** What each room may import besides itself; `npm` is every package and Node's own modules. A service is a room of its own. */
const ELSEWHERE = ["domain", "lib", "mixins", "config", "moleculer.config.ts", "npm"];
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  lib: ["domain", "config", "npm"],
  mixins: ["domain", "lib", "config", "npm"],
  services: ["domain", "lib", "mixins", "config", "npm"],
  types: ["npm"],
  public: ["npm"],
  config: ["domain", "npm"],
  "eslint.config.mjs": ["npm"],
  "moleculer.config.ts": ["lib", "mixins", "config", "npm"],
  "main.ts": [...ELSEWHERE, "services"],
  tools: [...ELSEWHERE, "main.ts", "services", "public"],
  cli: [...ELSEWHERE, "main.ts", "tools", "public"],
  test: [...ELSEWHERE, "main.ts", "services", "tools", "cli", "public"],
};

const LINES_MAX = 300;
/** Written by `npx boxoffice api-types`. */
const API_TYPES = "public/src/api/schema.d.ts";
/** Clocks, randomness, timers and everything else that would make a decision depend on more than its arguments. */
const IMPURE = new Set(
  [
    "Date.now",
    "new Date()",
    "Date()",
    "performance",
    "Math.random",
    "crypto",
    "process",
    "globalThis",
    "console",
    "fetch",
  ].concat(["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Atomics", "Temporal"]),
);

/** `services/api` for a file of that service, else the first folder, else the file at the root itself. */
function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "services" ? `services/${second}` : first;
}

function allowed(from: SourceFile, imported: Imported): boolean {
  const [mine, theirs] = [roomOf(from.path), imported.ours ? roomOf(imported.name) : "npm"];
  if (mine === theirs) return true;
  return MAY_IMPORT[mine.split("/")[0] ?? ""]?.includes(theirs.split("/")[0] ?? "") ?? false;
}

function none(offenders: readonly string[], rule: string): void {
  assert.deepEqual(
    offenders,
    [],
    `${rule}:\n${offenders.map((offender) => `  ${offender}`).join("\n")}`,
  );
}

describe("the code base", () => {
  it("imports one way: domain <- mixins <- services, and no service another", () => {
    const offenders = code.flatMap((file) =>
      importsOf(file)
        .filter((imported) => !allowed(file, imported))
        .map(({ name }) => `${file.path} imports ${name}`),
    );
    none(offenders, "A room reaches where it may not");
    assert.ok(
      code.length > 100 && code.some(({ path }) => roomOf(path) === "services/purchasing"),
      "the files were found",
    );
  });

  it("keeps clocks, randomness and the outside world out of domain/", () => {
    const offenders = code
      .filter(({ path }) => roomOf(path) === "domain")
      .flatMap((file) =>
        usesOf(file)
          .filter(({ name }) => IMPURE.has(name))
          .map(({ name, line }) => `${file.path}:${line} uses ${name}`),
      );
    none(offenders, "The rules take time and chance as arguments");
  });

  it("reads the environment in config/ only", () => {
    // The installer runs before there is a Node that could import config/index.ts.
    const offenders = code
      .filter(
        ({ path }) =>
          !path.startsWith("config/") && path !== "cli/install.mjs" && path !== "cli/boxoffice.mjs",
      )
      .flatMap((file) =>
        usesOf(file)
          .filter(({ name }) => name === "process.env")
          .map(({ line }) => `${file.path}:${line}`)
          .concat(
            importsOf(file).some(({ name }) => /^(?:node:)?process$/.test(name))
              ? [`${file.path} imports process`]
              : [],
          ),
      );
    none(offenders, "Ask config/index.ts");
  });

  it(`has no file of code over ${LINES_MAX} lines`, () => {
    const offenders = code
      .filter(({ path }) => path !== API_TYPES)
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => `${path} has ${lines}`);
    none(offenders, "Split what does two things");
  });

  it("names every top-level folder in ARCHITECTURE.md", () => {
    const folders = new Set(
      files.filter(({ path }) => path.includes("/")).map(({ path }) => path.split("/")[0] ?? ""),
    );
    const page = contentOf("ARCHITECTURE.md");
    none(
      [...folders].filter((folder) => !page.includes(`${folder}/`)),
      "ARCHITECTURE.md says nothing of these folders",
    );
  });

  it("leaves nothing for later in comments", () => {
    none(linesWith(/\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/), "Do it, or make it an issue");
  });

  it("names no folder of one machine", () => {
    none(
      linesWith(/(?<![\w.}])\/(?:work|home|root|Users|tmp)\/\w/),
      "Paths come from DATA_DIR, tmpdir() or import.meta.url",
    );
  });
});

function contentOf(path: string): string {
  return files.find((file) => file.path === path)?.text ?? assert.fail(`${path} is missing`);
}

function linesWith(pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}
