import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { retryRestore } from "../session/restore-session.ts";

/** Says that the sign-in is not confirmed yet, and offers to retry at once. */
export function SessionDelayed(): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="notice notice-warn" role="alert">
      <p>{t("session.delayed")}</p>
      <button type="button" className="button button-quiet" onClick={retryRestore}>
        {t("parts.tryAgain")}
      </button>
    </div>
  );
}
