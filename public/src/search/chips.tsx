import { type ReactNode, useId } from "react";

export type Choice<T extends string> = { value: T; label: string; count?: string };
type ChipsProps<T extends string> = {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
};

/** Chooses one of a few values. Radio buttons, so that arrow keys move between them. */
export function Chips<T extends string>({
  label,
  value,
  choices,
  onChange,
}: ChipsProps<T>): ReactNode {
  const name = useId();
  return (
    <fieldset className="chips">
      <legend className="unseen">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className="chip">
          <input
            type="radio"
            name={name}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          <span>
            {choice.label}
            {choice.count !== undefined && <small aria-hidden="true">{choice.count}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
