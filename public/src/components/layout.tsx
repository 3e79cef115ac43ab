import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useSearch } from "wouter";
import { sessionState } from "../session/session.ts";
import { signInPath } from "../session/return-to.ts";
import { useStore } from "../session/store.ts";
import { LanguageChoice } from "./language-choice.tsx";
import { OfflineNotice } from "./offline-notice.tsx";
import { SessionNotice } from "./session-notice.tsx";

/** Frames every page: header, navigation, footer. */
export function Layout({ children }: { children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const main = useFocusOnNavigation();
  return (
    <>
      <a className="skip" href="#content">
        {t("layout.skip")}
      </a>
      <header className="site-header">
        <Link href="/" className="wordmark" aria-label={t("layout.home")}>
          Boxoffice<span aria-hidden="true">.</span>
        </Link>
        <Navigation />
      </header>
      <OfflineNotice />
      <SessionNotice />
      <main id="content" ref={main} tabIndex={-1}>
        {children}
      </main>
      <footer className="site-footer">
        <p>{t("layout.promise")}</p>
        <LanguageChoice />
      </footer>
    </>
  );
}

function Navigation(): ReactNode {
  const { t } = useTranslation();
  const [path] = useLocation();
  const session = useStore(sessionState);
  const links: [string, string][] = [["/", t("layout.events")]];
  if (session.state !== "signed-out")
    links.push(["/tickets", t("layout.tickets")], ["/account", t("layout.account")]);
  if (session.state === "signed-in" && session.user.role === "operator")
    links.push(["/engine", t("layout.engine")]);
  const from = path.startsWith("/sign-in") || path.startsWith("/register") ? "/" : path;
  if (session.state === "signed-out") links.push([signInPath(from), t("layout.signIn")]);
  return (
    <nav aria-label={t("layout.navigation")}>
      <ul>
        {links.map(([to, label]) => (
          <li key={label}>
            <Link href={to} aria-current={to.split("?")[0] === path ? "page" : undefined}>
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/**
 * Scrolls to the top and focuses the content after a navigation, so that screen readers announce
 * the new page. Going back keeps the scroll position. A control that leads through similar pages
 * keeps the focus: it navigates with the state `{ keepsFocus: true }`.
 */
function useFocusOnNavigation(): React.RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null);
  const [path] = useLocation();
  const search = useSearch();
  const last = useRef(path);
  const wentBack = useRef(false);
  useEffect(() => {
    const onBack = (): void => void (wentBack.current = true);
    addEventListener("popstate", onBack);
    return () => removeEventListener("popstate", onBack);
  }, []);
  useEffect(() => {
    const back = wentBack.current;
    wentBack.current = false;
    if (last.current === path) return;
    last.current = path;
    const { keepsFocus = false } = (history.state ?? {}) as { keepsFocus?: boolean };
    if (keepsFocus && !back) return;
    if (!back) scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path, search]);
  return main;
}
