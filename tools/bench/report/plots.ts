import { type Measurement, short } from "../harness/measurement.ts";

/** Charts as SVG without scripts, readable on light and dark pages. */

const WIDTH = 760;
const ROW = 26;
const LEFT = 250;
const RIGHT = 90;
const TOP = 34;
const STYLE = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2933 }
  .quiet { fill: #5b6770; font-size: 12px } .title { font-weight: 600 }
  .ours { fill: #1769aa; stroke: #1769aa } .rival { fill: #b45309; stroke: #b45309 }
  .floor { fill: #6b7280; stroke: #6b7280 } .axis { stroke: #9aa5b1 }
  .bound { stroke: #b91c1c; stroke-dasharray: 4 3 } .line { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb } .quiet { fill: #9aa5b1 }
    .ours { fill: #63b3ed; stroke: #63b3ed } .rival { fill: #f6ad55; stroke: #f6ad55 }
    .floor { fill: #a0aec0; stroke: #a0aec0 } .axis { stroke: #52606d } .bound { stroke: #fc8181 }
    .line { fill: none }
  }
</style>`;

function svg(height: number, title: string, parts: readonly string[]): string {
  const head =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `aria-label="${escaped(title)}">`;
  const heading = `<text class="title" x="8" y="20">${escaped(title)}</text>`;
  return `${[head, STYLE, heading, ...parts, "</svg>"].join("\n")}\n`;
}

export type Bar = { label: string; value: number; role: Measurement["role"] };

/** A bar per row; the longest has the full width. `bound`: a line across all bars. */
export function barChart(
  title: string,
  bars: readonly Bar[],
  bound?: { value: number; label: string },
): string {
  const most = Math.max(bound?.value ?? 0, ...bars.map(({ value }) => value));
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * value) / most;
  const bottom = TOP + bars.length * ROW;
  const rows = bars.map(({ label, value, role }, index) => {
    const y = TOP + index * ROW;
    return (
      `<text x="${LEFT - 8}" y="${y + 17}" text-anchor="end">${escaped(label)}</text>` +
      `<rect class="${role}" x="${LEFT}" y="${y + 5}" ` +
      `width="${round(Math.max(1, x(value) - LEFT))}" height="${ROW - 10}" stroke="none"/>` +
      `<text x="${round(x(value) + 6)}" y="${y + 17}">${short(value)}</text>`
    );
  });
  return svg(bottom + (bound === undefined ? 8 : 26), title, [
    ...rows,
    ...boundLine(bound, x, bottom),
  ]);
}

function boundLine(
  bound: { value: number; label: string } | undefined,
  x: (value: number) => number,
  bottom: number,
): string[] {
  if (bound === undefined) return [];
  const at = round(x(bound.value));
  return [
    `<line class="bound" x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom + 4}"/>`,
    `<text class="quiet" x="${at}" y="${bottom + 18}" text-anchor="middle">` +
      `${escaped(bound.label)}</text>`,
  ];
}

export type Spread = {
  label: string;
  p50: number;
  p95: number;
  p99: number;
  p999: number;
  role: Measurement["role"];
};

/** Times on a logarithmic axis: a line from the median to p99.9, a tick at p95, a dot at p99. */
export function timesChart(
  title: string,
  spreads: readonly Spread[],
  bound?: { value: number; label: string },
): string {
  const values = spreads.flatMap(({ p50, p999 }) => [p50, p999]).concat(bound?.value ?? []);
  const [least, most] = [Math.max(0.05, Math.min(...values)), Math.max(...values)];
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const x = (value: number): number =>
    LEFT +
    ((WIDTH - LEFT - RIGHT) * (Math.log10(Math.max(10 ** low, value)) - low)) /
      Math.max(1, high - low);
  const bottom = TOP + spreads.length * ROW;
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)).map(
    (tick) =>
      `<line class="axis" x1="${round(x(tick))}" x2="${round(x(tick))}" ` +
      `y1="${TOP}" y2="${bottom}" stroke-width="0.5"/>` +
      `<text class="quiet" x="${round(x(tick))}" y="${bottom + 16}" text-anchor="middle">` +
      `${short(tick)} ms</text>`,
  );
  const rows = spreads.map(({ label, p50, p95, p99, p999, role }, index) => {
    const y = TOP + index * ROW + ROW / 2;
    return (
      `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${escaped(label)}</text>` +
      `<line class="${role}" x1="${round(x(p50))}" x2="${round(x(p999))}" ` +
      `y1="${y}" y2="${y}" stroke-width="3"/>` +
      `<line class="${role}" x1="${round(x(p95))}" x2="${round(x(p95))}" ` +
      `y1="${y - 6}" y2="${y + 6}" stroke-width="2"/>` +
      `<circle class="${role}" cx="${round(x(p99))}" cy="${y}" r="5"/>` +
      `<text x="${round(x(p999) + 10)}" y="${y + 4}">${short(p99)}</text>`
    );
  });
  const across = boundLine(bound, x, bottom + 16);
  const legend = `<text class="quiet" x="8" y="${bottom + 16}">p50 — | p95 — ● p99 — p99.9</text>`;
  return svg(bottom + (bound === undefined ? 26 : 42), title, [
    ...ticks,
    ...rows,
    ...across,
    legend,
  ]);
}

export type Curve = {
  label: string;
  role: Measurement["role"];
  points: readonly [x: number, y: number][];
};

/** Curves over a logarithmic axis of sizes. The vertical axis starts at 0. */
export function curveChart(title: string, xLabel: string, curves: readonly Curve[]): string {
  const height = 300;
  const [left, bottom] = [70, height - 46];
  const all = curves.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([size]) => size))].sort((one, other) => one - other);
  const [least, most] = [Math.log10(xs[0] ?? 1), Math.log10(xs.at(-1) ?? 10)];
  const top = Math.max(...all.map(([, value]) => value));
  const x = (size: number): number =>
    left + ((WIDTH - left - 180) * (Math.log10(size) - least)) / Math.max(1e-9, most - least);
  const y = (value: number): number => bottom - ((bottom - TOP - 8) * value) / top;
  const axis = [0, top / 2, top].map(
    (value) =>
      `<line class="axis" x1="${left}" x2="${WIDTH - 180}" ` +
      `y1="${round(y(value))}" y2="${round(y(value))}" stroke-width="0.5"/>` +
      `<text class="quiet" x="${left - 6}" y="${round(y(value) + 4)}" text-anchor="end">` +
      `${short(value)}</text>`,
  );
  const sizes = xs.map(
    (size) =>
      `<text class="quiet" x="${round(x(size))}" y="${bottom + 18}" text-anchor="middle">` +
      `${size.toLocaleString("en")}</text>`,
  );
  const lines = curves.map(({ label, role, points }) => {
    const path = points.map(([size, value]) => `${round(x(size))},${round(y(value))}`).join(" ");
    const [lastSize, lastValue] = points.at(-1) ?? [1, 0];
    const dots = points
      .map(
        ([size, value]) =>
          `<circle class="${role}" cx="${round(x(size))}" cy="${round(y(value))}" r="4"/>`,
      )
      .join("");
    return (
      `<polyline class="${role} line" points="${path}" style="fill:none"/>${dots}` +
      `<text x="${round(x(lastSize) + 12)}" y="${round(y(lastValue) + 4)}">${escaped(label)}</text>`
    );
  });
  const caption =
    `<text class="quiet" x="${(left + WIDTH - 180) / 2}" y="${height - 10}" ` +
    `text-anchor="middle">${escaped(xLabel)}</text>`;
  return svg(height, title, [...axis, ...sizes, ...lines, caption]);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
