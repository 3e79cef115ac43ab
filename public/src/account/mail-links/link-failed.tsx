import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** Says that a link was used or has expired. Offers a way on. */
export function LinkFailed({ children }: { children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="notice notice-warn" role="alert">
      <p>{t("links.failed")}</p>
      <div className="actions">{children}</div>
    </div>
  );
}
