import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { answerOf, api } from "../api/client.ts";
import { type Problem, asProblem } from "../api/problem.ts";
import type { User } from "../api/types.ts";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { endSession } from "../session/session.ts";
import { MailPreferences } from "./mail-preferences.tsx";
import { OwnData } from "./own-data.tsx";
import { PasswordForm } from "./password-form.tsx";
import { Sessions } from "./sessions.tsx";

export function AccountPage({ user }: { user: User }): ReactNode {
  const { t } = useTranslation();
  usePageTitle(t("account.title"));
  return (
    <div className="account">
      <h1>{t("account.title")}</h1>
      <dl className="facts">
        <div>
          <dt>{t("account.name")}</dt>
          <dd>{user.name}</dd>
        </div>
        <div>
          <dt>{t("account.email")}</dt>
          <dd>{user.email}</dd>
        </div>
      </dl>
      <SignOut />
      <section>
        <h2>{t("mails.title")}</h2>
        <MailPreferences email={user.email} />
      </section>
      <section>
        <h2>{t("account.sessions")}</h2>
        <Sessions />
      </section>
      <section>
        <h2>{t("account.changePassword")}</h2>
        <PasswordForm email={user.email} />
      </section>
      <section>
        <h2>{t("ownData.heading")}</h2>
        <OwnData email={user.email} />
      </section>
    </div>
  );
}

function SignOut(): ReactNode {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const [problem, setProblem] = useState<Problem>();
  const signOut = (everywhere: boolean): void => {
    const send = everywhere
      ? () => api.POST("/api/auth/logout-all")
      : () => api.POST("/api/auth/logout");
    answerOf(send).then(
      () => {
        // Before the end: a page of the account would lead to the sign-in page.
        navigate("/", { transition: false });
        endSession("visitor");
      },
      (error: unknown) => setProblem(asProblem(error)),
    );
  };
  return (
    <>
      {problem && <ProblemNotice error={problem} />}
      <div className="actions">
        <button type="button" className="button button-quiet" onClick={() => signOut(false)}>
          {t("account.signOut")}
        </button>
        <button type="button" className="button button-quiet" onClick={() => signOut(true)}>
          {t("account.signOutEverywhere")}
        </button>
      </div>
      <p className="hint">{t("account.everywhereHint")}</p>
    </>
  );
}
