import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, useSearchParams } from "wouter";
import { Field } from "../components/field.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { returnTo } from "../session/return-to.ts";
import { sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { register } from "./sign-in.ts";
import { withTo } from "./sign-in-page.tsx";
import { useForm } from "./use-form.ts";

export function RegisterPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("account.register"));
  const [params] = useSearchParams();
  const session = useStore(sessionState);
  const { busy, problem, onSubmit } = useForm(({ email = "", password = "", name = "" }) =>
    register({ email, password, name }),
  );
  if (session.state === "signed-in")
    return <Redirect to={returnTo(params.get("to"), location.origin)} replace />;
  const textOf = (code: string): string | undefined =>
    problem?.code === code ? t(`problem.${code}` as "problem.EMAIL_TAKEN") : undefined;
  const [taken, weak] = [textOf("EMAIL_TAKEN"), textOf("PASSWORD_TOO_WEAK")];
  return (
    <section className="narrow">
      <h1>{t("account.register")}</h1>
      {problem && <ProblemNotice error={problem} />}
      <form onSubmit={onSubmit}>
        <Field label={t("account.name")} name="name" autoComplete="name" required maxLength={100} />
        <Field
          label={t("account.email")}
          name="email"
          type="email"
          autoComplete="username"
          required
          maxLength={254}
          error={taken}
        />
        <Field
          label={t("account.password")}
          hint={t("account.passwordHint")}
          error={weak}
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          maxLength={128}
        />
        <button className="button button-big" aria-disabled={busy}>
          {t(busy ? "account.registering" : "account.register")}
        </button>
      </form>
      <p>
        {t("account.haveAccount")}{" "}
        <Link href={withTo("/sign-in", params)}>{t("account.signIn")}</Link>
      </p>
    </section>
  );
}
