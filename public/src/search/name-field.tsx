import { type ReactNode, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";

/** Debounce of typing, in milliseconds. */
const DEBOUNCE_MS = 250;

export function NameField({
  value,
  onChange,
}: {
  value: string;
  onChange: (name: string) => void;
}): ReactNode {
  const { t } = useTranslation();
  const id = useId();
  const [typed, setTyped] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  // The address changed by other means, such as going back.
  if (lastValue !== value) {
    setLastValue(value);
    if (typed.trim() !== value) setTyped(value);
  }
  useEffect(() => {
    if (typed.trim() === value) return undefined;
    const timer = setTimeout(() => onChange(typed.trim()), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <div className="field">
      <label htmlFor={id}>{t("browse.name")}</label>
      <input
        id={id}
        type="search"
        value={typed}
        maxLength={100}
        autoComplete="off"
        placeholder={t("browse.namePlaceholder")}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
