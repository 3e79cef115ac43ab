import { type SubmitEvent, useState } from "react";
import { flushSync } from "react-dom";
import { type Code, type Problem, asProblem } from "../api/problem.ts";

export type Form = {
  busy: boolean;
  /** What went wrong and belongs to no field. */
  problem: Problem | undefined;
  /** What went wrong, by the name of the field: a code of the API, or a rule of its `errors`. */
  faults: Readonly<Record<string, string>>;
  onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
};

/**
 * Submits one request at a time. `submit` receives the fields by name. `fieldOf` names the field of
 * a refusal; those of VALIDATION_ERROR name their fields. The first field that is wrong is focused.
 */
export function useForm(
  submit: (values: Record<string, string>, form: HTMLFormElement) => Promise<void>,
  fieldOf: Partial<Record<Code, string>> = {},
): Form {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [form, setForm] = useState<HTMLFormElement>();
  const faults = problem === undefined ? {} : faultsOf(problem, fieldOf, form);
  return {
    busy,
    problem: Object.keys(faults).length === 0 ? problem : undefined,
    faults,
    onSubmit(event) {
      event.preventDefault();
      if (busy) return;
      const sent = event.currentTarget;
      setBusy(true);
      setForm(sent);
      setProblem(undefined);
      const values = Object.fromEntries(
        [...new FormData(sent)].map(([name, value]) => [
          name,
          typeof value === "string" ? value : "",
        ]),
      );
      submit(values, sent)
        .catch((error: unknown) => {
          flushSync(() => setProblem(asProblem(error)));
          sent.querySelector<HTMLInputElement>("[aria-invalid=true]")?.focus();
        })
        .finally(() => setBusy(false));
    },
  };
}

/** Returns the fault of each field that the form has. */
function faultsOf(
  { code, facts }: Problem,
  fieldOf: Partial<Record<Code, string>>,
  form: HTMLFormElement | undefined,
): Record<string, string> {
  const field = fieldOf[code];
  if (field !== undefined) return { [field]: code };
  if (code !== "VALIDATION_ERROR" || !Array.isArray(facts.errors)) return {};
  const names = [...(form?.querySelectorAll("input") ?? [])].map(({ name }) => name);
  const errors = facts.errors as { field?: unknown; rule?: unknown }[];
  return Object.fromEntries(
    errors
      .filter(({ field: name }) => typeof name === "string" && names.includes(name))
      .map((one) => [String(one.field), String(one.rule)]),
  );
}
