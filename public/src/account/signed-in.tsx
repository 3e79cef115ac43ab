import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, useLocation, useSearch } from "wouter";
import type { User } from "../api/types.ts";
import { Loading } from "../components/loading.tsx";
import { signInPath } from "../session/return-to.ts";
import { sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { SessionDelayed } from "./session-delayed.tsx";

/**
 * Shows a page to signed-in visitors, and to `kept`, whose tickets this device keeps, while the
 * sign-in cannot be confirmed. Sends all others to the sign-in page and back.
 */
export function SignedIn<Kept = never>({
  kept,
  children,
}: {
  kept?: Kept | undefined;
  children: (user: User | Kept) => ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const session = useStore(sessionState);
  const [path] = useLocation();
  const search = useSearch();
  const signIn = signInPath(search === "" ? path : `${path}?${search}`);
  if (kept !== undefined && (session.state === "restoring" || session.state === "delayed"))
    return children(kept);
  switch (session.state) {
    case "signed-in":
      return children(session.user);
    case "signed-out":
      return <Redirect to={signIn} replace />;
    case "restoring":
      return (
        <>
          <h1 className="unseen">{t("parts.loading")}</h1>
          <Loading />
        </>
      );
    case "delayed":
      return (
        <>
          <h1 className="unseen">{t("parts.loading")}</h1>
          <SessionDelayed>
            <Link href={signIn} className="button">
              {t("account.signIn")}
            </Link>
          </SessionDelayed>
        </>
      );
    default:
      return session satisfies never;
  }
}
