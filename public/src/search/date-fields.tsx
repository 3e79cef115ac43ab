import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "../components/field.tsx";
import { Chips } from "./chips.tsx";
import { type Filters, type Span, daysOf, spanOf, todayHere } from "./filters.ts";

type Days = Pick<Filters, "from" | "to">;

/** Words for the days most people mean, and two fields for all others. */
export function DateFields({
  from,
  to,
  onChange,
}: Days & { onChange: (days: Days) => void }): ReactNode {
  const { t } = useTranslation();
  const today = todayHere();
  const [own, setOwn] = useState(false);
  const span = own ? "other" : spanOf({ from, to }, today);
  const choose = (chosen: Span): void => {
    setOwn(chosen === "other");
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
