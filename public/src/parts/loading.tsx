import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

export function Loading(): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="loading" role="status">
      <span className="unseen">{t("parts.loading")}</span>
    </div>
  );
}
