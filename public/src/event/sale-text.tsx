import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { numberText } from "../components/format.ts";
import type { SaleState } from "./sale-state.ts";

const CLASSES: Record<SaleState, string> = {
  cancelled: "left left-none",
  postponed: "left left-none",
  started: "left left-over",
  soldOut: "left left-none",
  few: "left left-few",
  available: "left",
};

/** Says in a few words what an event sells. */
export function SaleText({ state, available }: { state: SaleState; available: number }): ReactNode {
  const { t } = useTranslation();
  return (
    <p className={CLASSES[state]}>
      {state === "few"
        ? t("event.few", { count: available, number: numberText(available) })
        : t(`event.${state}`)}
    </p>
  );
}
