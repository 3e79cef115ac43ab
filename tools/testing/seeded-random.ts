/** Returns the next number in [0, 1) of a repeatable sequence. */
export type Random = () => number;

/** mulberry32: small, fast, the same everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(list: readonly T[], random: Random): T {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error("Cannot pick from an empty list");
  return item;
}

/** Returns a version 4 UUID made of these numbers. */
export function randomId(random: Random): string {
  const digits = Array.from({ length: 32 }, (_, place) => {
    if (place === 12) return "4";
    const digit = Math.floor(random() * 16);
    return (place === 16 ? 8 + (digit % 4) : digit).toString(16);
  }).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
