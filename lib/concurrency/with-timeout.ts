/**
 * Resolves with the promise, or with undefined after `ms`. A busy process may have the answer in
 * its socket already, so sockets are read once more before the time-out counts.
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // Timers run before sockets, immediates after. Twice: some answers need two reads.
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, undefined)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
