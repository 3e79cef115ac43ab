import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** Placeholder of a page. Says that it takes longer after the second failure. */
export function Loading({ failures = 0 }: { failures?: number }): ReactNode {
  return (
    <>
      <LoadingText failures={failures} />
      <div className="loading skeleton" />
    </>
  );
}

/** Loading text for screen readers. Visible to all once retries fail. */
export function LoadingText({ failures }: { failures: number }): ReactNode {
  const { t } = useTranslation();
  return (
    <p role="status" className={failures > 1 ? "notice notice-warn" : "unseen"}>
      {t(failures > 1 ? "parts.trying" : "parts.loading")}
    </p>
  );
}
