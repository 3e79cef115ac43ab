/**
 * Shares a reading of a server between callers for `freshMs`. Never begins one while another is
 * open: a frozen server gets no pile. `bound` makes of an open reading what its callers get; the
 * default is the reading itself.
 */
export function shareReading<T>(
  read: () => Promise<T>,
  freshMs: number,
  bound: (reading: Promise<T>) => Promise<T> = (reading) => reading,
): () => Promise<T> {
  let latest: { atMs: number; value: Promise<T> } | undefined;
  let open = false;
  return () => {
    const nowMs = performance.now();
    if (latest === undefined || (!open && nowMs - latest.atMs > freshMs)) {
      open = true;
      latest = { atMs: nowMs, value: bound(read().finally(() => (open = false))) };
    }
    return latest.value;
  };
}
