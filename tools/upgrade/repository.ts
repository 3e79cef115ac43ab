import { git } from "../documents/revision.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";

/** A commit, and how people read it. */
export type Revision = { hash: string; name: string };

/**
 * The commit that is checked out. Throws a ServerProblem where there is no git repository, or files
 * were changed: a change of revision would mix with them.
 */
export function currentCommit(): Revision {
  const hash = git("rev-parse", "HEAD");
  if (hash === undefined)
    throw new ServerProblem(
      "This copy of Boxoffice is no git repository: get the newer code as you got this one. " +
        "`npx boxoffice backup` backs up before that.",
    );
  const changed = git("diff", "--name-only", "HEAD");
  if (changed !== "")
    throw new ServerProblem(
      `These files differ from the revision:\n${changed}\n` +
        "Commit them, or put them aside (git stash), and try again.",
    );
  return named(hash);
}

/** The newest commit of the branch's upstream, which is fetched; or the commit of a name. */
export function newerCommit(current: Revision, name: string | undefined): Revision {
  const known = name === undefined ? undefined : commitOf(name);
  if (known === undefined && git("fetch", "--quiet", "--tags") === undefined)
    throw new ServerProblem(
      "git fetch failed: is there a remote repository, and can it be reached? (git remote -v)",
    );
  const found = known ?? commitOf(name ?? "@{upstream}");
  if (found === undefined)
    throw new ServerProblem(
      name === undefined
        ? "This branch follows no other: name a revision (npx boxoffice upgrade REVISION)."
        : `There is no revision ${name}.`,
    );
  if (!isAncestor(current.hash, found.hash))
    throw new ServerProblem(
      `${found.name} does not follow ${current.name}: merge them yourself (git merge), or go back ` +
        "by npx boxoffice rollback REVISION.",
    );
  return found;
}

/** The commit of a name, which the current one must follow. */
export function earlierCommit(current: Revision, name: string): Revision {
  const found = commitOf(name);
  if (found === undefined) throw new ServerProblem(`There is no revision ${name}.`);
  if (found.hash === current.hash || !isAncestor(found.hash, current.hash))
    throw new ServerProblem(`${found.name} is not before ${current.name}, which is checked out.`);
  return found;
}

/** Checks a commit out, on the branch that is checked out. */
export function checkOut({ hash, name }: Revision, direction: "forward" | "back"): void {
  const done =
    direction === "forward"
      ? git("merge", "--quiet", "--ff-only", hash)
      : git("reset", "--quiet", "--keep", hash);
  if (done === undefined)
    throw new ServerProblem(
      `git cannot check out ${name}. A file that git does not know may be in its way: ` +
        `git ${direction === "forward" ? "merge --ff-only" : "reset --keep"} ${hash} names it.`,
    );
}

/** The number of a commit's last migration. */
export function lastMigrationOf({ hash }: Revision): number {
  const files = git("ls-tree", "--name-only", hash, "migrations/") ?? "";
  const numbers = [...files.matchAll(/^migrations\/(\d{4})_\w+\.sql$/gm)].map(([, digits]) =>
    Number(digits),
  );
  return Math.max(0, ...numbers);
}

/** Whether a commit has a file. */
export function hasFile({ hash }: Revision, path: string): boolean {
  return git("cat-file", "-e", `${hash}:${path}`) !== undefined;
}

function commitOf(name: string): Revision | undefined {
  const hash = git("rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`);
  return hash === undefined ? undefined : named(hash);
}

function named(hash: string): Revision {
  return { hash, name: git("describe", "--tags", "--always", hash) ?? hash };
}

function isAncestor(before: string, after: string): boolean {
  return git("merge-base", "--is-ancestor", before, after) !== undefined;
}
