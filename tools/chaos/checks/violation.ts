export type Invariant =
  "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I9" | "I10" | "I11" | "I12";

/** A broken invariant and the evidence. */
export type Violation = { invariant: Invariant; text: string };

/** Groups by name, in the order of each name's first occurrence. */
export function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group === undefined) groups.set(nameOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
