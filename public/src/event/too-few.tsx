import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { numberText } from "../components/format.ts";

/** Says that fewer tickets are left than were chosen. The chosen number stays as it is. */
export function TooFew({ quantity, left }: { quantity: number; left: number }): ReactNode {
  const { t } = useTranslation();
  return (
    <div role="status" className="order">
      {quantity > left && (
        <p className="notice notice-warn">
          {t("buy.tooFew", { count: left, number: numberText(left) })}
        </p>
      )}
    </div>
  );
}
