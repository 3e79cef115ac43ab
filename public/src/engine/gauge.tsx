import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { HEIGHT, sparkPaths, WIDTH } from "./sparkline.ts";

type GaugeProps = {
  name: string;
  values: readonly (number | undefined)[];
  format: (value: number) => string;
};

/** Shows a figure, its peak, and its last two minutes as a sparkline. */
export function Gauge({ name, values, format }: GaugeProps): ReactNode {
  const { t } = useTranslation();
  const last = values.at(-1);
  const current = last === undefined ? t("engine.unknown") : format(last);
  const peak = values.reduce<number | undefined>(
    (top, value) => (value === undefined ? top : Math.max(top ?? value, value)),
    undefined,
  );
  const { line, area } = sparkPaths(values);
  return (
    <section className="gauge">
      <h2>{name}</h2>
      <p>
        <b>{current}</b>
        {peak !== undefined && (
          <span className="soft">{t("engine.most", { most: format(peak) })}</span>
        )}
      </p>
      <svg
        className="spark"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("engine.plot", { name, now: current, count: values.length })}
      >
        <path className="spark-ground" d={`M0 ${HEIGHT}H${WIDTH}`} />
        <path className="spark-area" d={area} />
        <path className="spark-line" d={line} />
      </svg>
    </section>
  );
}
