import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { clockText, numberText } from "../components/format.ts";
import { Loading } from "../components/loading.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { Gauge } from "./gauge.tsx";
import type { Sample } from "./time-series.ts";
import { Nodes, Workers } from "./tables.tsx";
import { useEngine } from "./use-engine.ts";

/** Shows operators what the engine does. */
export function EnginePage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("engine.title"));
  const { data, error, refetch } = useEngine();
  const { engine, samples = [] } = data ?? {};
  const percent = (value: number): string =>
    numberText(value, { style: "percent", maximumFractionDigits: 1 });
  const count = (value: number): string => numberText(value, { maximumFractionDigits: 1 });
  const seconds = (ms: number): string =>
    numberText(ms / 1_000, { style: "unit", unit: "second", maximumFractionDigits: 2 });
  const gauges: [keyof Sample, string, (value: number) => string][] = [
    ["sales", t("engine.sales"), count],
    ["waiting", t("engine.waiting"), count],
    ["queue", t("engine.queue"), count],
    ["lagMs", t("engine.lag"), seconds],
    ["redis", t("engine.hits"), percent],
    ["kept", t("engine.kept"), percent],
    ["streams", t("engine.streams"), count],
  ];
  return (
    <>
      <h1>{t("engine.title")}</h1>
      {error !== null && <ProblemNotice error={error} again={() => void refetch()} />}
      {engine === undefined ? (
        error === null && <Loading />
      ) : (
        <>
          <p className="lead">{t("engine.lead", { when: clockText(engine.at) })}</p>
          <div className="gauges">
            {gauges.map(([key, name, format]) => (
              <Gauge
                key={key}
                name={name}
                values={samples.map((sample) => sample[key])}
                format={format}
              />
            ))}
          </div>
          <Workers engine={engine} />
          <Nodes engine={engine} />
        </>
      )}
    </>
  );
}
