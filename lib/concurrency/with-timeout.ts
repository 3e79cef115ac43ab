/**
 * What comes of the promise, or undefined after `ms`. A process that was busy itself has not read the answer yet: it lies in the socket, so whatever is
 * there is read before it counts as late.
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // Timers come before sockets in a turn of the event loop, and immediates after: twice, for an answer that takes a turn to be put together.
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, undefined)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
