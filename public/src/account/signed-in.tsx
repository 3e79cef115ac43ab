import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Redirect, useLocation, useSearch } from "wouter";
import type { User } from "../api/types.ts";
import { Loading } from "../components/loading.tsx";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { signInPath } from "../session/return-to.ts";
import { resume, who } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { Problem } from "../api/problem.ts";
import { useQuery } from "@tanstack/react-query";

/** What only somebody signed in may see; others are sent to sign in, and come back. */
export function SignedIn({ children }: { children: (user: User) => ReactNode }): ReactNode {
  const { t } = useTranslation();
  const now = useStore(who);
  const [path] = useLocation();
  const search = useSearch();
  if (now.state === "signed-in") return children(now.user);
  if (now.state === "signed-out")
    return <Redirect to={signInPath(search === "" ? path : `${path}?${search}`)} replace />;
  return (
    <>
      <h1 className="unseen">{t("parts.loading")}</h1>
      <Resuming />
    </>
  );
}

/** The session's cookie could not be tried yet: it is tried again, here and by hand. */
function Resuming(): ReactNode {
  const { error, refetch } = useQuery({
    queryKey: ["resume"],
    queryFn: async () => {
      await resume();
      if (who.get().state === "unknown") throw new Problem("UNREACHABLE");
      return null;
    },
    gcTime: 0,
  });
  return error === null ? (
    <Loading />
  ) : (
    <ProblemNotice error={error} again={() => void refetch()} />
  );
}
