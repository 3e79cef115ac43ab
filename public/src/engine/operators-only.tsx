import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { usePageTitle } from "../components/page-title.ts";

/** For somebody who followed a link here and may not see it: says as whom, since they may have another account. */
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
