import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { answerOf, api } from "../../api/client.ts";
import { usePageTitle } from "../../components/page-title.ts";
import { ProblemNotice } from "../../components/problem-notice.tsx";
import { EmailField } from "../email-field.tsx";
import { fieldError } from "../field-fault.tsx";
import { useForm } from "../use-form.ts";

/** Asks for a link to choose a new password. Says the same for known and unknown addresses. */
export function ForgotPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("links.forgot"));
  const [sentTo, setSentTo] = useState<string>();
  const { busy, problem, faults, onSubmit } = useForm(async ({ email = "" }) => {
    await answerOf(() => api.POST("/api/auth/password-reset", { body: { email } }));
    setSentTo(email);
  });
  return (
    <section className="narrow">
      <h1>{t("links.forgot")}</h1>
      <p className="lead">{t("links.forgotWords")}</p>
      {problem && <ProblemNotice error={problem} />}
      <div role="status">
        {sentTo !== undefined && (
          <p className="notice notice-good">{t("links.sent", { email: sentTo })}</p>
        )}
      </div>
      <form onSubmit={onSubmit}>
        <EmailField minLength={3} error={fieldError(faults, "email")} />
        <button className="button button-big" aria-disabled={busy}>
          {t("links.send")}
        </button>
      </form>
      <p>
        <Link href="/sign-in">{t("links.toSignIn")}</Link>
      </p>
    </section>
  );
}
