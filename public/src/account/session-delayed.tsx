import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { retryRestore } from "../session/restore-session.ts";

/** Says that the sign-in is not confirmed yet. Offers to retry at once, beside `children`. */
export function SessionDelayed({ children }: { children?: ReactNode }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="notice notice-warn" role="alert">
      <p>{t("session.delayed")}</p>
      <div className="actions">
        {children}
        <button type="button" className="button button-quiet" onClick={retryRestore}>
          {t("parts.tryAgain")}
        </button>
      </div>
    </div>
  );
}
