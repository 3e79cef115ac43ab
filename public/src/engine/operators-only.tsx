import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { usePageTitle } from "../components/page-title.ts";

/** Tells a customer that the page is for operators, and which account is signed in. */
export function OperatorsOnly({ name }: { name: string }): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("engine.title"));
  return (
    <section className="empty">
      <h1>{t("engine.closed")}</h1>
      <p>{t("engine.closedWords", { name })}</p>
      <Link href="/" className="button">
        {t("notFound.browse")}
      </Link>
    </section>
  );
}
