import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { numberText } from "../components/format.ts";

type City = { value: string; count: number };
const SHOWN = 8;

/** Removes case and accents, as the search does. */
function foldText(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** Finds cities by the start of any word of their name, in the given order. */
export function suggestions(cities: readonly City[], typed: string): City[] {
  const wanted = foldText(typed.trim());
  return cities
    .filter(({ value }) => wanted === "" || ` ${foldText(value)}`.includes(` ${wanted}`))
    .slice(0, SHOWN);
}

/** Text field with suggestions: a combobox of the ARIA Authoring Practices. */
export function CityField({
  value,
  cities,
  onChange,
}: {
  value: string;
  cities: readonly City[];
  onChange: (city: string) => void;
}): ReactNode {
  const { t } = useTranslation();
  const id = useId();
  const [typed, setTyped] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  if (lastValue !== value) {
    setLastValue(value);
    setTyped(value);
  }
  const found = open ? suggestions(cities, typed === value ? "" : typed) : [];
  const take = (city: string): void => {
    setTyped(city);
    setOpen(false);
    setActive(-1);
    if (city !== value) onChange(city);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setOpen(true);
      const from = active === -1 && step < 0 ? 0 : active;
      if (found.length > 0) setActive((from + step + found.length) % found.length);
    } else if (event.key === "Enter") take(found[active]?.value ?? typed.trim());
    else if (event.key === "Escape" && open) {
      event.preventDefault();
      setOpen(false);
      setActive(-1);
    }
  };
  return (
    <div className="field combobox">
      <label htmlFor={id}>{t("browse.city")}</label>
      <input
        id={id}
        type="text"
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        autoComplete="off"
        maxLength={100}
        placeholder={t("browse.cityPlaceholder")}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setOpen(true);
          setActive(-1);
          if (event.target.value === "") onChange("");
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => take(typed.trim())}
        onKeyDown={onKeyDown}
      />
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={t("browse.city")}
        hidden={found.length === 0}
      >
        {found.map((city, index) => (
          <li
            key={city.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            // `mousedown` comes before the blur of the field.
            onMouseDown={(event) => {
              event.preventDefault();
              take(city.value);
            }}
          >
            {city.value} <span className="soft">{numberText(city.count)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
