import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { HEIGHT, sparkPaths, WIDTH } from "./sparkline.ts";

type GaugeProps = {
  name: string;
  values: readonly (number | undefined)[];
  say: (value: number) => string;
};

/** A figure, its last two minutes and the most of them: some sixty points need no library of plots. */
export function Gauge({ name, values, say }: GaugeProps): ReactNode {
  const { t } = useTranslation();
  const last = values.at(-1);
  const now = last === undefined ? t("engine.unknown") : say(last);
  const most = values.reduce<number | undefined>(
    (top, value) => (value === undefined ? top : Math.max(top ?? value, value)),
    undefined,
  );
  const { line, area } = sparkPaths(values);
  return (
    <section className="gauge">
      <h2>{name}</h2>
      <p>
        <b>{now}</b>
        {most !== undefined && (
          <span className="soft">{t("engine.most", { most: say(most) })}</span>
        )}
      </p>
      <svg
        className="spark"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("engine.plot", { name, now, count: values.length })}
      >
        <path className="spark-ground" d={`M0 ${HEIGHT}H${WIDTH}`} />
        <path className="spark-area" d={area} />
        <path className="spark-line" d={line} />
      </svg>
    </section>
  );
}
