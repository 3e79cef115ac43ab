import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { asProblem, type Problem } from "../api/problem.ts";

/** Returns the text of a problem. Codes without a text of their own get that of INTERNAL. */
export function useProblemText(): (problem: Problem) => string {
  const { t, i18n } = useTranslation();
  return ({ code, facts }) => {
    const key = `problem.${code}` as const;
    return i18n.exists(key) ? t(key as "problem.INTERNAL", facts) : t("problem.INTERNAL");
  };
}

/** Shows what went wrong and, if given, a button to try again. */
export function ProblemNotice({ error, again }: { error: unknown; again?: () => void }): ReactNode {
  const { t } = useTranslation();
  const problemText = useProblemText();
  return (
    <div className="notice notice-bad" role="alert">
      <p>{problemText(asProblem(error))}</p>
      {again && (
        <button type="button" className="button button-quiet" onClick={again}>
          {t("parts.tryAgain")}
        </button>
      )}
    </div>
  );
}
