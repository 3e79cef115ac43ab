import { useCombobox } from "downshift";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { dayText, numberText } from "../components/format.ts";
import { type City, citiesLike } from "./cities-like.ts";
import { useEventsLike } from "./use-events.ts";

/** Debounce of typing, in milliseconds. */
const DEBOUNCE_MS = 250;

/** A suggestion: `city` filters, `eventId` opens an event's page. */
type Suggestion = { key: string; text: string; note: string; city?: string; eventId?: string };

type SearchFieldProps = {
  value: string;
  cities: readonly City[];
  /** The visitor typed a name or a city. */
  onType: (text: string) => void;
  onCity: (city: string) => void;
};

/** One field for names and cities. The list below follows the text; suggestions lead further. */
export function SearchField({ value, cities, onType, onCity }: SearchFieldProps): ReactNode {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  // The address changed by other means, such as going back.
  if (lastValue !== value) {
    setLastValue(value);
    if (typed.trim() !== value) setTyped(value);
  }
  useEffect(() => {
    if (typed.trim() === value) return undefined;
    const timer = setTimeout(() => onType(typed.trim()), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onType]);
  const events = useEventsLike(value);
  const found: Suggestion[] = [
    ...citiesLike(cities, typed).map(({ value: city, count }) => ({
      key: city,
      text: city,
      note: t("browse.cityCount", { count, number: numberText(count) }),
      city,
    })),
    ...(typed.trim() === "" ? [] : events).map(({ id, name, date }) => ({
      key: id,
      text: name,
      note: dayText(date, "medium"),
      eventId: id,
    })),
  ];
  const take = ({ city, eventId }: Suggestion): void => {
    if (city !== undefined) {
      setTyped("");
      onCity(city);
    } else navigate(`/events/${eventId}`);
  };
  const { InputClick, InputKeyDownEnter, ItemClick } = useCombobox.stateChangeTypes;
  const box = useCombobox<Suggestion>({
    items: found,
    inputValue: typed,
    selectedItem: null,
    itemToString: (item) => item?.text ?? "",
    itemToKey: (item) => item?.key,
    // A click opens the list; it would close an open one.
    stateReducer: (_state, { type, changes }) =>
      type === InputClick ? { ...changes, isOpen: true } : changes,
    onStateChange({ type, selectedItem }) {
      if ((type === ItemClick || type === InputKeyDownEnter) && selectedItem) take(selectedItem);
    },
  });
  const isShown = box.isOpen && found.length > 0;
  return (
    <div className="field combobox">
      <label {...box.getLabelProps()} className="unseen">
        {t("browse.name")}
      </label>
      <input
        {...box.getInputProps({
          type: "search",
          maxLength: 100,
          autoComplete: "off",
          placeholder: t("browse.namePlaceholder"),
          "aria-expanded": isShown,
          onChange: (event) => setTyped(event.currentTarget.value),
          onKeyDown(event) {
            if (event.key === "Enter" && box.highlightedIndex < 0) box.closeMenu();
          },
        })}
      />
      <ul {...box.getMenuProps()} hidden={!isShown}>
        {isShown &&
          found.map((item, index) => (
            <li key={item.key} {...box.getItemProps({ item, index })}>
              {item.text} <span className="soft">{item.note}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}
