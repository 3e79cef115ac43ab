import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Event } from "../api/types.ts";

/** Says that an event is cancelled or postponed; nothing for one that takes place as planned. */
export function StatusText({ status }: { status: Event["status"] }): ReactNode {
  const { t } = useTranslation();
  return status === "scheduled" ? null : (
    <p className="left left-none">
      <strong>{t(`event.${status}`)}</strong>
    </p>
  );
}
