import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

const [WIDTH, HEIGHT] = [120, 40];

/** A figure and its last two minutes: some forty points need no library of plots. */
export function Gauge({
  name,
  values,
  say,
}: {
  name: string;
  values: readonly (number | undefined)[];
  say: (value: number) => string;
}): ReactNode {
  const { t } = useTranslation();
  const last = values.at(-1);
  const now = last === undefined ? t("engine.unknown") : say(last);
  return (
    <section className="gauge">
      <h2>{name}</h2>
      <b>{now}</b>
      <svg
        className="spark"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("engine.plot", { name, now, count: values.length })}
      >
        <path d={sparkPath(values)} />
      </svg>
    </section>
  );
}

/** From the left as they came, from 0 at the bottom to the largest at the top; a gap where nothing was known. */
export function sparkPath(values: readonly (number | undefined)[]): string {
  const top = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length - 1);
  return values
    .map((value, index) => {
      if (value === undefined) return "";
      const [x, y] = [index * step, HEIGHT - (value / top) * HEIGHT].map((number) => number.toFixed(1));
      return `${values[index - 1] === undefined ? "M" : "L"}${x} ${y}`;
    })
    .join("");
}
