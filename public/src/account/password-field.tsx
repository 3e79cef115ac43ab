import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "../components/field.tsx";

type PasswordFieldProps = {
  label: string;
  name: string;
  /** Whether it is a new password: then the rules apply. */
  isNew?: boolean;
  error?: ReactNode;
};

/** A password, which can be shown. */
export function PasswordField({
  label,
  name,
  isNew = false,
  error,
}: PasswordFieldProps): ReactNode {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  return (
    <Field
      label={label}
      hint={isNew ? t("account.passwordHint") : undefined}
      error={error}
      name={name}
      type={shown ? "text" : "password"}
      autoComplete={isNew ? "new-password" : "current-password"}
      autoCapitalize="none"
      spellCheck={false}
      required
      minLength={isNew ? 12 : undefined}
      maxLength={128}
      control={
        <button
          type="button"
          className="link"
          aria-pressed={shown}
          aria-label={t("account.showPassword")}
          onClick={() => setShown(!shown)}
        >
          {t(shown ? "account.hide" : "account.show")}
        </button>
      }
    />
  );
}
