/** Keeps values in memory too: localStorage may be full, disabled or forbidden. */
const fallback = new Map<string, string>();

export function readItem(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? fallback.get(name);
  } catch {
    return fallback.get(name);
  }
}

/** Removes the item if `value` is undefined. */
export function writeItem(name: string, value: string | undefined): void {
  if (value === undefined) fallback.delete(name);
  else fallback.set(name, value);
  try {
    if (value === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // The map has the value.
  }
}
