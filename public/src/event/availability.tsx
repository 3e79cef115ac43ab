import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Event } from "../api/types.ts";
import { numberText } from "../components/format.ts";
import { isForSale, type SaleState } from "./sale-state.ts";

type AvailabilityProps = {
  event: Pick<Event, "available" | "totalCapacity">;
  state: SaleState;
};

/**
 * Tickets left, as a bar and as text, or why none are sold. Screen readers announce only the
 * latter: in a rush the number changes several times a second.
 */
export function Availability({ event, state }: AvailabilityProps): ReactNode {
  const { t } = useTranslation();
  const available = Math.max(0, event.available);
  return (
    <div className="availability">
      {isForSale(state) && (
        <>
          <svg className="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect className="meter-ground" width="100" height="4" />
            <rect
              className="meter-left"
              width={(100 * available) / Math.max(1, event.totalCapacity)}
              height="4"
            />
          </svg>
          <p className="left">
            {t("event.left", {
              count: available,
              number: numberText(available),
              total: numberText(event.totalCapacity),
            })}
          </p>
        </>
      )}
      <div role="status">{!isForSale(state) && <p>{t(`buy.${state}`)}</p>}</div>
    </div>
  );
}
