import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "wouter";
import { withTo } from "./with-to.ts";

/** Says what is wrong with a field: a refusal of the API, or a rule of its `errors`. */
export function FieldFault({ field, fault }: { field: string; fault: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const [params] = useSearchParams();
  if (fault === "EMAIL_TAKEN")
    return (
      <>
        {t("account.taken")} <Link href={withTo("/sign-in", params)}>{t("account.signIn")}</Link>
      </>
    );
  const keys = [
    fault === "INVALID_CREDENTIALS" ? "fieldFault.currentPassword" : `problem.${fault}`,
    `fieldFault.${field}`,
  ];
  return t((keys.find((key) => i18n.exists(key)) ?? "fieldFault.other") as "fieldFault.other");
}
