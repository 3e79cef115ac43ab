import { git, type Origin } from "./revision.ts";

const ENGINE = ["config", "domain", "lib", "mixins", "services", "main.ts", "moleculer.config.ts"];

/** Generated pages, and the code that each of them judges. */
export const GENERATED_PAGES: Readonly<Record<string, readonly string[]>> = {
  "docs/benchmarks.md": [...ENGINE, "migrations", "tools/bench"],
  "docs/planted-mistakes.md": [...ENGINE, "test/simulation"],
  "docs/reliability.md": [...ENGINE, "migrations", "tools/chaos"],
  "docs/request-coverage.md": [...ENGINE, "tools/coverage"],
  "docs/scaling.md": [...ENGINE, "migrations", "tools/scaling"],
  "docs/security.md": [...ENGINE, "public/src", "tools/security"],
};

/**
 * Says whether the code has changed since a page was generated. Undefined if it has not. Compares
 * files, not times: a fresh clone, a shallow one and a rebase keep the answer right or unknown.
 */
export function ageOf(
  { revision, command }: Origin,
  judged: readonly string[],
): string | undefined {
  const origin = `${command}, revision ${revision}`;
  if (git("cat-file", "-e", `${revision}^{commit}`) === undefined)
    return `${origin}: this clone cannot tell how old it is, because it lacks the revision`;
  const changed = git("diff", "--name-only", revision, "--", ...judged)?.split("\n") ?? [];
  const files = changed.filter(Boolean).length;
  if (files === 0) return undefined;
  return `${origin}: older than the code it judges (${files} files changed)`;
}
