import { encode } from "uqr";

/** The quiet zone, in cells, that readers need around the code (ISO/IEC 18004). */
const BORDER = 4;

/**
 * Draws a QR code as one SVG path for all dark cells, one unit per cell. Error correction M: a
 * seventh may be unreadable. `size` includes the quiet zone.
 */
export function qrPath(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: "M", border: BORDER });
  const dark = data.flatMap((row, y) =>
    runsOf(row).map(([from, length]) => `M${from} ${y}h${length}v1h-${length}z`),
  );
  return { size, path: dark.join("") };
}

/** Runs of adjacent dark cells: first cell and length. */
function runsOf(row: readonly boolean[]): [from: number, length: number][] {
  const runs: [number, number][] = [];
  for (const [x, dark] of row.entries()) {
    const last = runs.at(-1);
    if (!dark) continue;
    if (last !== undefined && last[0] + last[1] === x) last[1] += 1;
    else runs.push([x, 1]);
  }
  return runs;
}
