import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "../api/client.ts";
import type { Preferences } from "../api/types.ts";
import { Loading } from "../components/loading.tsx";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { LANGUAGE_NAMES } from "../locales/languages.ts";

export const PREFERENCES_KEY = ["mine", "preferences"];

const KINDS = ["receipt", "cancellation", "event-change"] as const;
const LANGUAGES = ["en", "de"] as const;

type Change = Partial<Pick<Preferences, "language" | "mailsOff">>;

/** Which e-mails a person gets, in which language, and a notice until the address is confirmed. */
export function MailPreferences({ email }: { email: string }): ReactNode {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const languageId = useId();
  const { data, error, refetch } = useQuery({
    queryKey: PREFERENCES_KEY,
    queryFn: ({ signal }) => answerOf(() => api.GET("/api/auth/preferences", { signal })),
  });
  const change = useMutation({
    mutationFn: (body: Change) => answerOf(() => api.POST("/api/auth/preferences", { body })),
    onSuccess: (preferences) => queries.setQueryData(PREFERENCES_KEY, preferences),
  });
  if (error !== null) return <ProblemNotice error={error} again={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  // What was chosen is shown while it is being stored.
  const shown = change.isPending ? { ...data, ...change.variables } : data;
  const { language, mailsOff, emailConfirmed } = shown;
  return (
    <>
      {!emailConfirmed && <NotConfirmed email={email} />}
      {change.error !== null && <ProblemNotice error={change.error} />}
      <fieldset className="mail-kinds">
        <legend>{t("mails.which")}</legend>
        {KINDS.map((kind) => (
          <label key={kind} className="choice">
            <input
              type="checkbox"
              checked={!mailsOff.includes(kind)}
              onChange={({ target }) =>
                change.mutate({
                  mailsOff: KINDS.filter((one) =>
                    one === kind ? !target.checked : mailsOff.includes(one),
                  ),
                })
              }
            />
            {t(`mails.${kind}`)}
          </label>
        ))}
      </fieldset>
      <p className="hint">{t("mails.always")}</p>
      <div className="field mail-language">
        <label htmlFor={languageId}>{t("mails.language")}</label>
        <select
          id={languageId}
          value={language}
          onChange={({ target }) =>
            change.mutate({ language: target.value === "de" ? "de" : "en" })
          }
        >
          {LANGUAGES.map((tag) => (
            <option key={tag} value={tag} lang={tag}>
              {LANGUAGE_NAMES[tag] ?? tag}
            </option>
          ))}
        </select>
      </div>
    </>
  );
}

function NotConfirmed({ email }: { email: string }): ReactNode {
  const { t } = useTranslation();
  const send = useMutation({
    mutationFn: () => answerOf(() => api.POST("/api/auth/email-confirmation")),
  });
  return (
    <div className="notice notice-warn">
      <p>{t("mails.notConfirmed", { email })}</p>
      <div role="status">{send.isSuccess && <p>{t("mails.sentAgain")}</p>}</div>
      {send.error !== null && <ProblemNotice error={send.error} />}
      <div className="actions">
        <button
          type="button"
          className="button button-quiet"
          aria-disabled={send.isPending}
          onClick={() => {
            if (!send.isPending) send.mutate();
          }}
        >
          {t("mails.sendAgain")}
        </button>
      </div>
    </div>
  );
}
