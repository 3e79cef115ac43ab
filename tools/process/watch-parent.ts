import { processEnvironment } from "../../config/index.ts";
import { commandOf, parentOf, startedAt } from "../dev-servers/process-identity.ts";

const POLL_MS = 250;
const INIT = 1;
const SHELLS = new Set(["sh", "dash", "bash", "ash", "zsh", "busybox"]);

type Ancestor = { pid: number; started: string };

/**
 * Calls back once when npm, our launcher, or a shell between them and this process has ended: a
 * killed npm sends no signal. Watches nothing where neither started this process. Returns a
 * function that ends the watch.
 */
export function watchAncestors(onGone: (what: string) => void): () => void {
  const chain = ancestorsUpToNpm();
  const timer = setInterval(() => {
    const gone = chain.find(({ pid, started }) => startedAt(pid) !== started);
    if (gone === undefined) return;
    clearInterval(timer);
    onGone(`process ${gone.pid}, which started this one, has ended`);
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Every shell and launcher above this process, and the first ancestor that is neither. */
function ancestorsUpToNpm(): Ancestor[] {
  const { npm_lifecycle_event: npmScript, BOXOFFICE_LAUNCHER_PID: launcher } = processEnvironment();
  const chain: Ancestor[] = [];
  if (!npmScript && process.ppid !== Number(launcher)) return chain;
  for (let pid: number | undefined = process.ppid; pid !== undefined && pid > INIT;) {
    const started = startedAt(pid);
    if (started === undefined) break;
    chain.push({ pid, started });
    const isBetween = SHELLS.has(commandOf(pid) ?? "") || (npmScript && pid === Number(launcher));
    if (!isBetween) break;
    pid = parentOf(pid);
  }
  return chain;
}
