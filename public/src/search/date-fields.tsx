import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "../components/field.tsx";
import { Chips } from "./chips.tsx";
import { type Filters, type Span, daysOf, spanOf, localToday } from "./filters.ts";

type Days = Pick<Filters, "from" | "to">;

/** Chooses common ranges of days, or any range by two date fields. */
export function DateFields({
  from,
  to,
  onChange,
}: Days & { onChange: (days: Days) => void }): ReactNode {
  const { t } = useTranslation();
  const today = localToday();
  const [custom, setCustom] = useState(false);
  const span = custom ? "other" : spanOf({ from, to }, today);
  const choose = (chosen: Span): void => {
    setCustom(chosen === "other");
    if (chosen !== "other") onChange(daysOf(chosen, today));
  };
  const spans = (["any", "today", "weekend", "week", "other"] as const).map((value) => ({
    value,
    label: t(`browse.span.${value}`),
  }));
  return (
    <div className="dates">
      <Chips label={t("browse.when")} value={span} choices={spans} onChange={choose} />
      {span === "other" && (
        <div className="date-range">
          <Field
            label={t("browse.from")}
            type="date"
            value={from}
            max={to}
            onChange={(event) => onChange({ from: event.target.value, to })}
          />
          <Field
            label={t("browse.to")}
            type="date"
            value={to}
            min={from}
            onChange={(event) => onChange({ from, to: event.target.value })}
          />
        </div>
      )}
    </div>
  );
}
