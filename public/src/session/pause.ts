/** Waits for `ms`, then until the browser is online. Resolves early when `signal` aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const until = (target: EventTarget, event: string): Promise<unknown> =>
    new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));
  const aborted = signal === undefined ? [] : [until(signal, "abort")];
  await Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), ...aborted]);
  if (!navigator.onLine) await Promise.race([until(window, "online"), ...aborted]);
}
