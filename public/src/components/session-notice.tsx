import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { dismissEnd, sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";

/** Says that and why the session has ended, until the visitor opens another page. */
export function SessionNotice(): ReactNode {
  const { t } = useTranslation();
  const session = useStore(sessionState);
  const [path] = useLocation();
  const why = session.state === "signed-out" ? session.why : undefined;
  const shownAt = useRef<string>(undefined);
  useEffect(() => {
    if (why === undefined) shownAt.current = undefined;
    // From a page of the account the visitor comes to the sign-in page.
    else if (shownAt.current === undefined || path === "/sign-in") shownAt.current = path;
    else if (shownAt.current !== path) dismissEnd();
  }, [why, path]);
  return (
    <div role="status" className="session-notice">
      {why && <p>{t(`session.endedBy.${why}`)}</p>}
    </div>
  );
}
