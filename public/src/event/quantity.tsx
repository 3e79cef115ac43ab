import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";

/** Native select, for keyboards, screen readers and touch. */
export function Quantity({
  value,
  max,
  onChange,
}: {
  value: number;
  max: number;
  onChange: (value: number) => void;
}): ReactNode {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div className="field quantity">
      <label htmlFor={id}>{t("buy.quantity")}</label>
      <select id={id} value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {Array.from({ length: max }, (_, index) => (
          <option key={index} value={index + 1}>
            {index + 1}
          </option>
        ))}
      </select>
    </div>
  );
}
