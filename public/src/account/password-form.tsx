import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "../api/client.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { fieldError } from "./field-fault.tsx";
import { PasswordField } from "./password-field.tsx";
import { useForm } from "./use-form.ts";

export function PasswordForm({ email }: { email: string }): ReactNode {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const { busy, problem, faults, onSubmit } = useForm(
    async ({ currentPassword = "", newPassword = "" }, form) => {
      setDone(false);
      await answerOf(() =>
        api.POST("/api/auth/password", { body: { currentPassword, newPassword } }),
      );
      setDone(true);
      form.reset();
    },
    { INVALID_CREDENTIALS: "currentPassword", PASSWORD_TOO_WEAK: "newPassword" },
  );
  return (
    <form onSubmit={onSubmit} className="narrow-form">
      {problem && <ProblemNotice error={problem} />}
      <div role="status">
        {done && <p className="notice notice-good">{t("account.passwordChanged")}</p>}
      </div>
      {/* Password managers read the account from this field. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <PasswordField
        label={t("account.currentPassword")}
        name="currentPassword"
        error={fieldError(faults, "currentPassword")}
      />
      <PasswordField
        label={t("account.newPassword")}
        name="newPassword"
        isNew
        error={fieldError(faults, "newPassword")}
      />
      <button className="button" aria-disabled={busy}>
        {t("account.changePassword")}
      </button>
    </form>
  );
}
