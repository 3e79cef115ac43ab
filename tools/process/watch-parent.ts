import { processEnvironment } from "../../config/index.ts";
import { commandOf, parentOf, startedAt } from "../dev-servers/process-identity.ts";

const LOOK_EVERY_MS = 250;
const INIT = 1;
const SHELLS = new Set(["sh", "dash", "bash", "ash", "zsh", "busybox"]);

/**
 * Calls back once when npm, or a shell between npm and this process, has gone: a killed npm tells nobody. Watches nothing where
 * npm did not start us, so a process that was meant to be on its own stays. Answers the end of the watch.
 */
export function watchAncestors(onGone: (what: string) => void): () => void {
  const chain = ancestorsUpToNpm();
  const timer = setInterval(() => {
    const gone = chain.find(({ pid, started }) => startedAt(pid) !== started);
    if (gone === undefined) return;
    clearInterval(timer);
    onGone(`process ${gone.pid}, which started this one, has gone`);
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** npm starts scripts through a shell, which may or may not stay between: every shell above us, and the first that is none. */
function ancestorsUpToNpm(): { pid: number; started: string }[] {
  const chain: { pid: number; started: string }[] = [];
  if (!processEnvironment().npm_lifecycle_event) return chain;
  for (
    let pid: number | undefined = process.ppid;
    pid !== undefined && pid > INIT;
    pid = parentOf(pid)
  ) {
    const started = startedAt(pid);
    if (started === undefined) break;
    chain.push({ pid, started });
    if (!SHELLS.has(commandOf(pid) ?? "")) break;
  }
  return chain;
}
