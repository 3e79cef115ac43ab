import { existsSync } from "node:fs";
import { type Account, asAccount } from "./unix-account.ts";

const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));

/** Whether this system signals children at their parent's death (Linux). */
export const HAS_DEATH_SIGNAL = SETPRIV !== undefined;

/** Wraps a command: it runs as the account, and the kernel signals it when this process ends. */
export function withDeathSignal(
  signal: NodeJS.Signals,
  [command, ...args]: readonly [string, ...string[]],
  account?: Account,
): { command: string; args: string[] } {
  if (SETPRIV === undefined) return { command, args };
  const as = account === undefined ? [] : asAccount(account);
  return { command: SETPRIV, args: [...as, `--pdeathsig=${signal.slice(3)}`, command, ...args] };
}
