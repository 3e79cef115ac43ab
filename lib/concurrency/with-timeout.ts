/**
 * Resolves with the promise, or with undefined after `ms`. Rejects as the promise does. An answer
 * that is already in the socket of a busy process is read before it counts as late.
 */
export async function withTimeout<T>(promise: PromiseLike<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // The event loop runs timers, then sockets, then immediates. Wait for two immediates: an answer
    // may need one more turn.
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, undefined)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
