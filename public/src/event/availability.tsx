import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Event } from "../api/types.ts";
import { numberText } from "../components/format.ts";

/**
 * Tickets left, as a bar and as text. Screen readers announce only "Sold out": in a rush the number
 * changes several times a second.
 */
export function Availability({
  event,
}: {
  event: Pick<Event, "available" | "totalCapacity">;
}): ReactNode {
  const { t } = useTranslation();
  const available = Math.max(0, event.available);
  const text =
    available === 0
      ? t("event.soldOut")
      : t("event.left", {
          count: available,
          number: numberText(available),
          total: numberText(event.totalCapacity),
        });
  return (
    <div className="availability">
      <svg className="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect className="meter-ground" width="100" height="4" />
        <rect
          className="meter-left"
          width={(100 * available) / Math.max(1, event.totalCapacity)}
          height="4"
        />
      </svg>
      <p className={available === 0 ? "left left-none" : "left"}>{text}</p>
      <p role="status" className="unseen">
        {available === 0 && t("event.soldOut")}
      </p>
    </div>
  );
}
