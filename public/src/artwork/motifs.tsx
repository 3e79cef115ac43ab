import type { ReactNode } from "react";
import { type Random, times } from "./random.ts";

/** Background and three matching colors. */
export type Palette = readonly [background: string, one: string, two: string, three: string];

type Motif = (random: Random, palette: Palette) => ReactNode;

/** Rings from somewhere below, and the bars of a level meter. */
const concert: Motif = (random, [, one, two, three]) => {
  const [x, y] = [60 + random() * 200, 150 + random() * 60];
  const bars = 14 + Math.floor(random() * 8);
  return (
    <>
      {times(7, (index) => (
        <circle
          key={index}
          cx={x}
          cy={y}
          r={190 - index * 26}
          fill="none"
          stroke={index % 3 === 0 ? one : three}
          strokeWidth={11}
        />
      ))}
      <circle cx={x} cy={y} r={30} fill={two} />
      {times(bars, (index) => {
        const height = 14 + random() * 70;
        return (
          <rect
            key={index}
            x={(index * 320) / bars + 3}
            y={200 - height}
            width={320 / bars - 6}
            height={height}
            fill={two}
          />
        );
      })}
    </>
  );
};

/** A curtain that opens on a lit stage. */
const theatre: Motif = (random, [, one, two, three]) => {
  const open = 70 + random() * 70;
  const folds = 6;
  return (
    <>
      <ellipse cx={160} cy={176} rx={110} ry={26} fill={three} />
      <path d={`M${130 + random() * 60} 0L70 180H250Z`} fill={two} opacity={0.85} />
      {times(folds, (index) => {
        const width = open / folds;
        const fill = index % 2 === 0 ? one : shade(one);
        const [left, right] = [index * width, 320 - (index + 1) * width];
        const fall = 200 - index * 9;
        return (
          <g key={index} fill={fill}>
            <path d={`M${left} 0h${width + 1}V${fall - 10}q${-width / 2} 20 ${-width - 1} 0z`} />
            <path
              d={`M${right - 1} 0h${width + 1}V${fall - 10}q${-width / 2} 20 ${-width - 1} 0z`}
            />
          </g>
        );
      })}
      <path d={`M0 0H320V22${times(8, () => "q-20 22 -40 0").join("")}Z`} fill={one} />
    </>
  );
};

/** A pitch from above, and the ball on its way. */
const football: Motif = (random, [, one, two, three]) => {
  const tilt = -18 + random() * 36;
  const [x, y] = [70 + random() * 180, 50 + random() * 100];
  return (
    <>
      <g transform={`rotate(${tilt} 160 100)`}>
        {times(6, (index) => (
          <rect
            key={index}
            x={-60 + index * 80}
            y={-120}
            width={40}
            height={440}
            fill={three}
            opacity={0.35}
          />
        ))}
        <g fill="none" stroke={two} strokeWidth={4}>
          <path d="M160 -120V320M-60 30H40V170H-60M380 30H280V170H380" />
          <circle cx={160} cy={100} r={48} />
        </g>
        <circle cx={160} cy={100} r={5} fill={two} />
      </g>
      <path
        d={`M${x - 120} ${y + 90}Q${x - 60} ${y - 30} ${x} ${y}`}
        fill="none"
        stroke={one}
        strokeWidth={4}
        strokeDasharray="2 10"
        strokeLinecap="round"
      />
      <circle cx={x} cy={y} r={19} fill={one} />
      <circle cx={x - 5} cy={y - 5} r={6} fill={two} />
    </>
  );
};

/** People and what connects them. */
const conference: Motif = (random, [, one, two, three]) => {
  const points = times(
    16,
    () => [20 + random() * 280, 18 + random() * 164, 4 + random() * 13] as const,
  );
  return (
    <>
      <g stroke={three} strokeWidth={2.5}>
        {points.flatMap(([x, y], index) =>
          points.slice(index + 1).map(([u, v], other) => {
            const near = Math.hypot(x - u, y - v) < 92;
            return near && <line key={`${index}-${other}`} x1={x} y1={y} x2={u} y2={v} />;
          }),
        )}
      </g>
      {points.map(([x, y, radius], index) => (
        <circle key={index} cx={x} cy={y} r={radius} fill={index % 3 === 0 ? two : one} />
      ))}
    </>
  );
};

/** A grin. */
const comedy: Motif = (random, [, one, two, three]) => {
  const tilt = -14 + random() * 28;
  const wide = 46 + random() * 26;
  return (
    <>
      {times(9, (index) => (
        <rect
          key={index}
          x={-40 + index * 46}
          y={-40}
          width={18}
          height={280}
          fill={three}
          opacity={0.4}
          transform={`rotate(${tilt * 2} 160 100)`}
        />
      ))}
      <g transform={`rotate(${tilt} 160 100)`}>
        <circle cx={160} cy={100} r={76} fill={one} />
        <path d={`M${160 - wide} 108a${wide} ${wide} 0 0 0 ${wide * 2} 0z`} fill={two} />
        <ellipse cx={132} cy={76} rx={8} ry={13} fill={three} />
        <ellipse cx={188} cy={76} rx={8} ry={13 - random() * 9} fill={three} />
      </g>
    </>
  );
};

/** Bunting over hills, and the sun. */
const festival: Motif = (random, [, one, two, three]) => {
  const sag = 20 + random() * 24;
  const hill = (height: number): string => {
    const curve = `Q${60 + random() * 60} ${200 - height * 1.7} 170 ${200 - height * 0.8}`;
    return `M0 200V${200 - height}${curve}T320 ${200 - height}V200Z`;
  };
  return (
    <>
      <circle cx={60 + random() * 200} cy={96} r={44} fill={two} />
      <path d={hill(70)} fill={three} />
      <path d={hill(34)} fill={one} />
      {times(12, (index) => {
        const x = 8 + index * 27;
        const y = 14 + sag * Math.sin((Math.PI * x) / 320);
        return <path key={index} d={`M${x} ${y}h20l-10 24z`} fill={index % 2 === 0 ? one : two} />;
      })}
      <path d={`M0 14Q160 ${14 + sag * 2} 320 14`} fill="none" stroke={two} strokeWidth={3} />
    </>
  );
};

/** Frames on a wall. */
const exhibition: Motif = (random, [, one, two, three]) => {
  const [x, y] = [90 + random() * 120, 60 + random() * 70];
  const cells = [
    [14, 14, x - 22, y - 20],
    [x, 14, 306 - x, y - 20],
    [14, y + 2, x - 22, 184 - y],
    [x, y + 2, 306 - x, 184 - y],
  ] as const;
  const inks = [one, two, three, "none"];
  const turn = Math.floor(random() * 4);
  return cells.map(([left, top, width, height], index) => (
    <g key={index}>
      <rect
        x={left}
        y={top}
        width={width}
        height={height}
        fill={inks[(index + turn) % 4]}
        stroke={two}
        strokeWidth={3}
      />
      {index === turn && (
        <circle
          cx={left + width / 2}
          cy={top + height / 2}
          r={Math.min(width, height) * 0.3}
          fill={two}
        />
      )}
    </g>
  ));
};

/** Quarter circles: for workshops, and for types without a motif. */
export const tiles: Motif = (random, [ground, one, two, three]) =>
  times(40, (index) => {
    const [x, y] = [(index % 8) * 40, Math.floor(index / 8) * 40];
    const [fill, turn] = [
      [one, two, three, ground][Math.floor(random() * 4)],
      Math.floor(random() * 4) * 90,
    ];
    return (
      <g key={index} transform={`translate(${x} ${y}) rotate(${turn} 20 20)`}>
        <path d="M0 0H40A40 40 0 0 1 0 40Z" fill={fill} />
      </g>
    );
  });

/** Darkens a color. */
function shade(color: string): string {
  const channels = [1, 3, 5].map((at) =>
    Math.round(Number.parseInt(color.slice(at, at + 2), 16) * 0.82),
  );
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

export const MOTIFS: Readonly<Record<string, Motif>> = {
  concert,
  theatre,
  football,
  conference,
  comedy,
  festival,
  exhibition,
  workshop: tiles,
};
