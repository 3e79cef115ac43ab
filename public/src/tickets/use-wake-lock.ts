import { useEffect } from "react";

/**
 * Keeps the screen on while `wanted`. The browser drops the lock of a hidden page, so it is asked
 * for again. A browser without wake locks, or one that refuses (battery), is left alone.
 */
export function useWakeLock(wanted: boolean): void {
  useEffect(() => {
    if (!wanted || !("wakeLock" in navigator)) return undefined;
    let lock: WakeLockSentinel | undefined;
    let ended = false;
    const take = (): void => {
      if (document.hidden) return;
      navigator.wakeLock.request("screen").then(
        (taken) => {
          lock = taken;
          if (ended) void taken.release();
        },
        () => undefined,
      );
    };
    take();
    document.addEventListener("visibilitychange", take);
    return () => {
      ended = true;
      document.removeEventListener("visibilitychange", take);
      void lock?.release();
    };
  }, [wanted]);
}
