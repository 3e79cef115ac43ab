import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { answerOf, api } from "../../api/client.ts";
import { usePageTitle } from "../../components/page-title.ts";
import { ProblemNotice } from "../../components/problem-notice.tsx";
import { endSession } from "../../session/session.ts";
import { fieldError } from "../field-fault.tsx";
import { LinkFailed } from "./link-failed.tsx";
import { isUselessLink, linkToken } from "./link-token.ts";
import { PasswordField } from "../password-field.tsx";
import { useForm } from "../use-form.ts";

/** Sets a new password by the link of an e-mail. */
export function ResetPage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("links.reset"));
  const [token] = useState(linkToken);
  const [done, setDone] = useState(false);
  const { busy, problem, faults, onSubmit } = useForm(
    async ({ password = "" }) => {
      await answerOf(() =>
        api.POST("/api/auth/password-reset/confirm", { body: { token, password } }),
      );
      // The new password has ended this device's session, too.
      endSession("visitor");
      setDone(true);
    },
    { PASSWORD_TOO_WEAK: "password" },
  );
  const isUseless = isUselessLink(token, problem);
  return (
    <section className="narrow">
      <h1>{t("links.reset")}</h1>
      {problem && !isUseless && <ProblemNotice error={problem} />}
      <div role="status">
        {done && <p className="notice notice-good">{t("links.resetDone")}</p>}
      </div>
      {isUseless ? (
        <LinkFailed>
          <Link href="/forgot" className="button">
            {t("links.askAgain")}
          </Link>
        </LinkFailed>
      ) : done ? (
        <p>
          <Link href="/sign-in" className="button button-big">
            {t("account.signIn")}
          </Link>
        </p>
      ) : (
        <form onSubmit={onSubmit}>
          <PasswordField
            label={t("account.newPassword")}
            name="password"
            isNew
            error={fieldError(faults, "password")}
          />
          <button className="button button-big" aria-disabled={busy}>
            {t("links.resetNow")}
          </button>
        </form>
      )}
    </section>
  );
}
