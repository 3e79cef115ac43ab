import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "../api/client.ts";
import { Field } from "../components/field.tsx";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { useForm } from "./use-form.ts";

export function PasswordForm({ email }: { email: string }): ReactNode {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const { busy, problem, onSubmit } = useForm(
    async ({ currentPassword = "", newPassword = "" }, form) => {
      setDone(false);
      await answerOf(() =>
        api.POST("/api/auth/password", { body: { currentPassword, newPassword } }),
      );
      setDone(true);
      form.reset();
    },
  );
  return (
    <form onSubmit={onSubmit} className="narrow-form">
      {problem && <ProblemNotice error={problem} />}
      <div role="status">
        {done && <p className="notice notice-good">{t("account.passwordChanged")}</p>}
      </div>
      {/* Password managers read the account from this field. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <Field
        label={t("account.currentPassword")}
        name="currentPassword"
        type="password"
        autoComplete="current-password"
        required
        maxLength={128}
      />
      <Field
        label={t("account.newPassword")}
        hint={t("account.passwordHint")}
        name="newPassword"
        type="password"
        autoComplete="new-password"
        required
        minLength={12}
        maxLength={128}
      />
      <button className="button" aria-disabled={busy}>
        {t("account.changePassword")}
      </button>
    </form>
  );
}
