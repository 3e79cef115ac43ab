import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "../api/client.ts";
import type { SignedInSession } from "../api/types.ts";
import { momentText } from "../components/format.ts";
import { Loading } from "../components/loading.tsx";
import { ProblemNotice } from "../components/problem-notice.tsx";

const KEY = ["mine", "sessions"];

export function Sessions(): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => answerOf(() => api.GET("/api/auth/sessions", { signal })),
  });
  if (error !== null) return <ProblemNotice error={error} again={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  return (
    <ul className="sessions">
      {data.items.map((session) => (
        <SessionRow key={session.id} session={session} />
      ))}
    </ul>
  );
}

function SessionRow({
  session: { id, userAgent, address, lastUsedAt, current },
}: {
  session: SignedInSession;
}): ReactNode {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      answerOf(() =>
        api.DELETE("/api/auth/sessions/{sessionId}", { params: { path: { sessionId: id } } }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const device = deviceOf(userAgent ?? "") ?? t("account.unknownDevice");
  return (
    <li>
      <p>
        <b>{device}</b> {current && <span className="tag">{t("account.thisOne")}</span>}
        <br />
        <span className="soft">
          {t("account.lastUsed", { when: momentText(lastUsedAt) })}
          {address !== undefined && ` · ${address}`}
        </span>
      </p>
      {!current && (
        <button
          type="button"
          className="button button-quiet"
          aria-disabled={revoke.isPending}
          onClick={() => revoke.mutate()}
        >
          {t("account.end")}
          <span className="unseen"> {device}</span>
        </button>
      )}
      {revoke.error !== null && <ProblemNotice error={revoke.error} />}
    </li>
  );
}

/** Names the browser and its system, so that people recognize their own devices. */
function deviceOf(userAgent: string): string | undefined {
  const first = (names: readonly [RegExp, string][]): string | undefined =>
    names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = first([
    [/Edg\//, "Edge"],
    [/Firefox\//, "Firefox"],
    [/Chrom/, "Chrome"],
    [/Safari\//, "Safari"],
    [/curl\//, "curl"],
  ]);
  const system = first([
    [/iPhone|iPad/, "iOS"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS/, "macOS"],
    [/Linux/, "Linux"],
  ]);
  return [browser, system].filter(Boolean).join(", ") || undefined;
}
