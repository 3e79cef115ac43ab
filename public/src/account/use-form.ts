import { type SubmitEvent, useState } from "react";
import { type Problem, asProblem } from "../api/problem.ts";

export type Form = {
  busy: boolean;
  problem: Problem | undefined;
  onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
};

/** Submits one request at a time. `submit` receives the fields by name. */
export function useForm(
  submit: (values: Record<string, string>, form: HTMLFormElement) => Promise<void>,
): Form {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  return {
    busy,
    problem,
    onSubmit(event) {
      event.preventDefault();
      if (busy) return;
      const form = event.currentTarget;
      setBusy(true);
      setProblem(undefined);
      const values = Object.fromEntries(
        [...new FormData(form)].map(([name, value]) => [
          name,
          typeof value === "string" ? value : "",
        ]),
      );
      submit(values, form)
        .catch((error: unknown) => setProblem(asProblem(error)))
        .finally(() => setBusy(false));
    },
  };
}
