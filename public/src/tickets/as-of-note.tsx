import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { momentText } from "../components/format.ts";

/** Says that tickets are shown as they were at a time. Nothing if they are current. */
export function AsOfNote({ asOf }: { asOf: string | undefined }): ReactNode {
  const { t } = useTranslation();
  if (asOf === undefined) return null;
  return (
    <p role="status" className="notice notice-warn">
      {t("tickets.asOf", { when: momentText(asOf) })}
    </p>
  );
}
