import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "wouter";
import type { Form } from "./use-form.ts";
import { withTo } from "./with-to.ts";

/** The error of a field, for Field; undefined if nothing is wrong. `texts`: whose texts it has. */
export function fieldError(faults: Form["faults"], field: string, texts = field): ReactNode {
  const fault = faults[field];
  return fault === undefined ? undefined : <FieldFault field={texts} fault={fault} />;
}

/** Says what is wrong with a field: a refusal of the API, or a rule of its `errors`. */
function FieldFault({ field, fault }: { field: string; fault: string }): ReactNode {
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
