import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "../components/field.tsx";
import { Chips } from "./chips.tsx";
import { type Filters, type Span, daysOf, spanOf, localToday } from "./filters.ts";

type Days = Pick<Filters, "from" | "to">;

function keyOf({ from, to }: Days): string {
  return `${from} ${to}`;
}

/** Chooses common ranges of days, or any range by two date fields. */
export function DateFields({
  from,
  to,
  onChange,
}: Days & { onChange: (days: Days) => void }): ReactNode {
  const { t } = useTranslation();
  const today = localToday();
  // The days for which the two fields are open. Others come from a choice, or from going back.
  const [openFor, setOpenFor] = useState<string>();
  const span = openFor === keyOf({ from, to }) ? "other" : spanOf({ from, to }, today);
  const choose = (chosen: Span): void => {
    setOpenFor(chosen === "other" ? keyOf({ from, to }) : undefined);
    if (chosen !== "other") onChange(daysOf(chosen, today));
  };
  const changeDays = (days: Days): void => {
    setOpenFor(keyOf(days));
    onChange(days);
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
            onChange={(event) => changeDays({ from: event.target.value, to })}
          />
          <Field
            label={t("browse.to")}
            type="date"
            value={to}
            min={from}
            onChange={(event) => changeDays({ from, to: event.target.value })}
          />
        </div>
      )}
    </div>
  );
}
