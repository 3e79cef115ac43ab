/** localStorage may be full, switched off or forbidden: then things are remembered as long as the page lives. */
const instead = new Map<string, string>();

export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? instead.get(name);
  } catch {
    return instead.get(name);
  }
}

export function remember(name: string, value: string | undefined): void {
  if (value === undefined) instead.delete(name);
  else instead.set(name, value);
  try {
    if (value === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // The map has it.
  }
}
