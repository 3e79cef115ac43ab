import { SAMPLES_MAX } from "./time-series.ts";

export const [WIDTH, HEIGHT] = [120, 40];

/** Draws values from 0 to the largest, the latest at the right. Unknown values are gaps. */
export function sparkPaths(values: readonly (number | undefined)[]): {
  line: string;
  area: string;
} {
  const top = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = WIDTH / (SAMPLES_MAX - 1);
  const segments: [x: string, y: string][][] = [];
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    const x = WIDTH - (values.length - 1 - index) * step;
    const point: [string, string] = [x.toFixed(1), (HEIGHT - (value / top) * HEIGHT).toFixed(1)];
    if (values[index - 1] === undefined) segments.push([point]);
    else segments.at(-1)?.push(point);
  }
  // A single point is a dot: a line of zero length with round ends.
  const line = segments
    .map(
      (segment) =>
        `M${segment.map((point) => point.join(" ")).join("L")}${segment.length === 1 ? "h0" : ""}`,
    )
    .join("");
  const area = segments.map((segment) => {
    const [first, last] = [segment[0]?.[0] ?? "", segment.at(-1)?.[0] ?? ""];
    const points = segment.map((point) => point.join(" ")).join("L");
    return `M${first} ${HEIGHT}L${points}L${last} ${HEIGHT}Z`;
  });
  return { line, area: area.join("") };
}
