import { MOMENTS_KEPT } from "./time-series.ts";

export const [WIDTH, HEIGHT] = [120, 40];

/** The latest at the right edge, from 0 at the bottom to the largest at the top; a gap where nothing was known. */
export function sparkPaths(values: readonly (number | undefined)[]): {
  line: string;
  area: string;
} {
  const top = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = WIDTH / (MOMENTS_KEPT - 1);
  const pieces: [x: string, y: string][][] = [];
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    const x = WIDTH - (values.length - 1 - index) * step;
    const point: [string, string] = [x.toFixed(1), (HEIGHT - (value / top) * HEIGHT).toFixed(1)];
    if (values[index - 1] === undefined) pieces.push([point]);
    else pieces.at(-1)?.push(point);
  }
  // A point by itself is a dot: a line of no length with round ends.
  const line = pieces
    .map(
      (piece) =>
        `M${piece.map((point) => point.join(" ")).join("L")}${piece.length === 1 ? "h0" : ""}`,
    )
    .join("");
  const area = pieces.map((piece) => {
    const [first, last] = [piece[0]?.[0] ?? "", piece.at(-1)?.[0] ?? ""];
    return `M${first} ${HEIGHT}L${piece.map((point) => point.join(" ")).join("L")}L${last} ${HEIGHT}Z`;
  });
  return { line, area: area.join("") };
}
