import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { who } from "../session/session.ts";
import { signInPath } from "../session/return-to.ts";
import { useStore } from "../session/store.ts";
import { LanguageChoice } from "./language-choice.tsx";
import { OfflineNotice } from "./offline-notice.tsx";

/** What stands around every page. */
export function Layout({ children }: { children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const main = useArrival();
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
  const now = useStore(who);
  const links: [string, string][] = [["/", t("layout.events")]];
  if (now.state !== "signed-out")
    links.push(["/tickets", t("layout.tickets")], ["/account", t("layout.account")]);
  if (now.state === "signed-in" && now.user.role === "operator")
    links.push(["/engine", t("layout.engine")]);
  const away = path.startsWith("/sign-in") || path.startsWith("/register") ? "/" : path;
  if (now.state === "signed-out") links.push([signInPath(away), t("layout.signIn")]);
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

/** After going to another page: its beginning is in view and has the focus, so that readers of the screen hear where they are. Going back keeps the place. */
function useArrival(): React.RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null);
  const [path] = useLocation();
  const last = useRef(path);
  const back = useRef(false);
  useEffect(() => {
    const onBack = (): void => void (back.current = true);
    addEventListener("popstate", onBack);
    return () => removeEventListener("popstate", onBack);
  }, []);
  useEffect(() => {
    if (last.current === path) return;
    last.current = path;
    if (!back.current) scrollTo(0, 0);
    back.current = false;
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}
