import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Event } from "../api/types.ts";
import { numberText } from "../components/format.ts";

/** How many are left, as a calm bar and in words. Only the end of it is announced: in a rush the number changes four times a second. */
export function Availability({
  event,
}: {
  event: Pick<Event, "available" | "totalCapacity">;
}): ReactNode {
  const { t } = useTranslation();
  const available = Math.max(0, event.available);
  const words =
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
      <p className={available === 0 ? "left left-none" : "left"}>{words}</p>
      <p role="status" className="unseen">
        {available === 0 && t("event.soldOut")}
      </p>
    </div>
  );
}
