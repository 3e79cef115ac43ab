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
import { FieldFault } from "./field-fault.tsx";
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
  const faultOf = (field: string): ReactNode => {
    const fault = faults[field];
    return fault === undefined ? undefined : <FieldFault field={field} fault={fault} />;
  };
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
          error={faultOf("name")}
        />
        <Field
          label={t("account.email")}
          name="email"
          type="email"
          autoComplete="username"
          required
          maxLength={254}
          error={faultOf("email")}
        />
        <PasswordField
          label={t("account.password")}
          name="password"
          isNew
          error={faultOf("password")}
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
