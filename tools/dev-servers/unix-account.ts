import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { ServerProblem } from "./server-problem.ts";

/** An unprivileged user that a server runs as. Undefined where this process is not root. */
export type Account = { name: string; uid: number; gid: number };

/**
 * Returns the owner of a server's folder, else the first of the preferred users that exists. The
 * owner stays: a user that a package adds later must not lock the server out of its data.
 */
export function accountFor(folder: string, preferred: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid = "0", gid = "0"]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const owner = existsSync(folder) ? statSync(folder).uid : 0;
  const account =
    accounts.find(({ uid }) => owner !== 0 && uid === owner) ??
    preferred.flatMap((name) => accounts.filter((one) => one.name === name))[0];
  if (account === undefined)
    throw new ServerProblem(
      `Servers refuse to run as root, and none of the users ${preferred.join(", ")} exists. Run as another user.`,
    );
  return account;
}

/**
 * Tests as that user whether the folder can be entered or written: modes of parents and mounts
 * count.
 */
export function canUse(
  folder: string,
  account: Account | undefined,
  how: "enter" | "write",
): boolean {
  if (account === undefined) return true;
  const test = how === "enter" ? ["-x", folder] : ["-w", folder, "-a", "-x", folder];
  return (
    spawnSync("test", test, { uid: account.uid, gid: account.gid, cwd: "/", stdio: "ignore" })
      .status === 0
  );
}

/** Arguments of setpriv that change to the account before the command runs. */
export function asAccount(account: Account): string[] {
  return [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
}
