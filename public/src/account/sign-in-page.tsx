import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, useSearchParams } from "wouter";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { returnTo } from "../session/return-to.ts";
import { sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { signIn } from "./sign-in.ts";
import { EmailField } from "./email-field.tsx";
import { PasswordField } from "./password-field.tsx";
import { useForm } from "./use-form.ts";
import { withTo } from "./with-to.ts";

export function SignInPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("account.signIn"));
  const [params] = useSearchParams();
  const session = useStore(sessionState);
  const { busy, problem, onSubmit } = useForm(({ email = "", password = "" }) =>
    signIn({ email, password }),
  );
  if (session.state === "signed-in")
    return <Redirect to={returnTo(params.get("to"), location.origin)} replace />;
  return (
    <section className="narrow">
      <h1>{t("account.signIn")}</h1>
      {params.has("to") && <p className="lead">{t("account.andBack")}</p>}
      {problem && <ProblemNotice error={problem} />}
      <form onSubmit={onSubmit}>
        <EmailField />
        <PasswordField label={t("account.password")} name="password" />
        <button className="button button-big" aria-disabled={busy}>
          {t(busy ? "account.signingIn" : "account.signIn")}
        </button>
      </form>
      <p>
        <Link href="/forgot">{t("links.forgot")}</Link>
      </p>
      <p>
        {t("account.noAccount")}{" "}
        <Link href={withTo("/register", params)}>{t("account.register")}</Link>
      </p>
    </section>
  );
}
