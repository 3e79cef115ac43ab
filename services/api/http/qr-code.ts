import { encode } from "uqr";

/** The quiet zone, in cells, that readers need around the code (ISO/IEC 18004). */
const BORDER = 4;

/**
 * Draws a QR code as a self-contained SVG: one unit per cell, one path for all dark cells. Black on
 * white in every theme, as readers expect. Error correction M: a seventh may be unreadable.
 */
export function qrCodeSvg(text: string): string {
  const { data, size } = encode(text, { ecc: "M", border: BORDER });
  const dark = data.flatMap((row, y) =>
    runsOf(row).map(([from, length]) => `M${from} ${y}h${length}v1h-${length}z`),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" ` +
    'shape-rendering="crispEdges">' +
    `<path fill="#fff" d="M0 0h${size}v${size}h-${size}z"/>` +
    `<path fill="#000" d="${dark.join("")}"/></svg>`
  );
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
