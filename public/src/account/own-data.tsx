import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "../api/client.ts";
import { download } from "../components/download.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { EraseDialog } from "./erase-dialog.tsx";

/** Lets people take all that is stored about them, and delete their account. */
export function OwnData({ email }: { email: string }): ReactNode {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => answerOf(() => api.GET("/api/auth/me/export")),
    onSuccess: (data) =>
      download("boxoffice-data.json", "application/json", JSON.stringify(data, null, 2)),
  });
  return (
    <>
      <p>{t("ownData.words")}</p>
      {error !== null && <ProblemNotice error={error} />}
      <div className="actions">
        <button
          type="button"
          className="button button-quiet"
          aria-disabled={isPending}
          onClick={() => !isPending && mutate()}
        >
          {t("ownData.download")}
        </button>
        <button
          type="button"
          className="button button-quiet button-bad"
          onClick={() => setAsking(true)}
        >
          {t("ownData.delete")}
        </button>
      </div>
      {asking && <EraseDialog email={email} onClose={() => setAsking(false)} />}
    </>
  );
}
