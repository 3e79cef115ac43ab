import { existsSync } from "node:fs";
import { type Account, asAccount } from "./unix-account.ts";

const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));

/** Whether this system can tell children of their parent's death (Linux). */
export const KNOWS_OF_OUR_DEATH = SETPRIV !== undefined;

/** The command that runs as this account and is sent the signal by the kernel when our process ends, however it ends; where it can be told. */
export function dyingWithUs(
  signal: NodeJS.Signals,
  [command, ...args]: readonly [string, ...string[]],
  account?: Account,
): { command: string; args: string[] } {
  if (SETPRIV === undefined) return { command, args };
  const as = account === undefined ? [] : asAccount(account);
  return { command: SETPRIV, args: [...as, `--pdeathsig=${signal.slice(3)}`, command, ...args] };
}
