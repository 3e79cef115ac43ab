import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { answerOf, api } from "../../api/client.ts";
import { asProblem } from "../../api/problem.ts";
import { usePageTitle } from "../../components/page-title.ts";
import { ProblemNotice } from "../../components/problem-notice.tsx";
import { LinkFailed } from "./link-failed.tsx";
import { isUselessLink, linkToken } from "./link-token.ts";
import { PREFERENCES_KEY } from "../mail-preferences.tsx";

/** Confirms an address by the link of an e-mail. A click, because scanners of mails open links. */
export function ConfirmPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("links.confirm"));
  const [token] = useState(linkToken);
  const queries = useQueryClient();
  const confirm = useMutation({
    mutationFn: () =>
      answerOf(() => api.POST("/api/auth/email-confirmation/confirm", { body: { token } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: PREFERENCES_KEY }),
  });
  const problem = confirm.error === null ? undefined : asProblem(confirm.error);
  const isUseless = isUselessLink(token, problem);
  return (
    <section className="narrow">
      <h1>{t("links.confirm")}</h1>
      {problem && !isUseless && <ProblemNotice error={problem} />}
      <div role="status">
        {confirm.isSuccess && <p className="notice notice-good">{t("links.confirmed")}</p>}
      </div>
      {isUseless ? (
        <LinkFailed>
          <Link href="/account" className="button">
            {t("account.title")}
          </Link>
        </LinkFailed>
      ) : confirm.isSuccess ? (
        <p>
          <Link href="/">{t("notFound.browse")}</Link>
        </p>
      ) : (
        <p>
          <button
            type="button"
            className="button button-big"
            aria-disabled={confirm.isPending}
            onClick={() => {
              if (!confirm.isPending) confirm.mutate();
            }}
          >
            {t("links.confirmNow")}
          </button>
        </p>
      )}
    </section>
  );
}
