import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** `failures`: how many answers were none; from the second on it is said that it takes longer. */
export function Loading({ failures = 0 }: { failures?: number }): ReactNode {
  return (
    <>
      <LoadingWords failures={failures} />
      <div className="loading skeleton" />
    </>
  );
}

/** What those hear who see no shapes, and what everybody reads where it takes longer than it should. */
export function LoadingWords({ failures }: { failures: number }): ReactNode {
  const { t } = useTranslation();
  return (
    <p role="status" className={failures > 1 ? "notice notice-warn" : "unseen"}>
      {t(failures > 1 ? "parts.trying" : "parts.loading")}
    </p>
  );
}
