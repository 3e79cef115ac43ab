import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "../components/field.tsx";

/** The e-mail address of an account. */
export function EmailField({
  minLength,
  error,
}: {
  minLength?: number;
  error?: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <Field
      label={t("account.email")}
      error={error}
      name="email"
      type="email"
      autoComplete="username"
      required
      minLength={minLength}
      maxLength={254}
    />
  );
}
