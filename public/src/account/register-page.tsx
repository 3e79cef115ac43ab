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
import { EmailField } from "./email-field.tsx";
import { fieldError } from "./field-fault.tsx";
import { PasswordField } from "./password-field.tsx";
import { useForm } from "./use-form.ts";
import { withTo } from "./with-to.ts";

export function RegisterPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("account.register"));
  const [params] = useSearchParams();
  const session = useStore(sessionState);
  const { busy, problem, faults, onSubmit } = useForm(
    ({ email = "", password = "", name = "" }) => register({ email, password, name }),
    { EMAIL_TAKEN: "email", PASSWORD_TOO_WEAK: "password" },
  );
  if (session.state === "signed-in")
    return <Redirect to={returnTo(params.get("to"), location.origin)} replace />;
  return (
    <section className="narrow">
      <h1>{t("account.register")}</h1>
      {problem && <ProblemNotice error={problem} />}
      <form onSubmit={onSubmit}>
        <Field
          label={t("account.name")}
          name="name"
          autoComplete="name"
          required
          maxLength={100}
          error={fieldError(faults, "name")}
        />
        <EmailField error={fieldError(faults, "email")} />
        <PasswordField
          label={t("account.password")}
          name="password"
          isNew
          error={fieldError(faults, "password")}
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
