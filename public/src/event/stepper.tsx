import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { TICKETS_PER_PURCHASE_MAX } from "../api/limits.ts";

type StepperProps = {
  value: number;
  /** Tickets left. A larger value stays until the visitor lowers it. */
  left: number;
  /** While an order is under way. */
  locked?: boolean;
  onChange: (value: number) => void;
};

/** Chooses a number of tickets by two buttons. They stay focusable at the ends of the range. */
export function Stepper({ value, left, locked = false, onChange }: StepperProps): ReactNode {
  const { t } = useTranslation();
  const max = Math.min(TICKETS_PER_PURCHASE_MAX, Math.max(1, left));
  const step = (sign: string, name: string, next: number): ReactNode => {
    const disabled = locked || next === value || next < 1;
    return (
      <button
        type="button"
        aria-label={name}
        aria-disabled={disabled}
        onClick={disabled ? undefined : () => onChange(next)}
      >
        <span aria-hidden="true">{sign}</span>
      </button>
    );
  };
  return (
    <div className="stepper" role="group" aria-label={t("buy.quantity")}>
      {step("−", t("buy.fewer"), Math.min(value - 1, max))}
      <output>{value}</output>
      {step("+", t("buy.morePlease"), Math.max(value, Math.min(value + 1, max)))}
    </div>
  );
}
