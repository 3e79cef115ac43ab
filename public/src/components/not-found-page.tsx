import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { Poster } from "../artwork/cover.tsx";
import { usePageTitle } from "./page-title.ts";

export function NotFoundPage({ what = "page" }: { what?: "page" | "event" | "ticket" }): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t(`notFound.${what}`));
  return (
    <section className="empty">
      <div className="empty-art">
        <Poster id="nothing here" type="theatre" />
      </div>
      <h1>{t(`notFound.${what}`)}</h1>
      <p>{t("notFound.words")}</p>
      <Link href="/" className="button">
        {t("notFound.browse")}
      </Link>
    </section>
  );
}
