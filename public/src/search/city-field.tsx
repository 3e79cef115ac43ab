import { useCombobox } from "downshift";
import { type ReactNode, useState } from "react";
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

/**
 * Text field with suggestions. Takes the highlighted or only suggestion at Enter, Tab and when the
 * field is left, else the text as it is: the search knows more names of cities than the list.
 */
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
  const [typed, setTyped] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  if (lastValue !== value) {
    setLastValue(value);
    setTyped(value);
  }
  const found = suggestions(cities, typed === value ? "" : typed);
  const take = (city: string): void => {
    setTyped(city);
    if (city !== value) onChange(city);
  };
  const { InputClick, ItemClick } = useCombobox.stateChangeTypes;
  const box = useCombobox<City>({
    items: found,
    inputValue: typed,
    selectedItem: null,
    itemToString: (city) => city?.value ?? "",
    itemToKey: (city) => city?.value,
    // A click opens the list; it would close an open one.
    stateReducer: (_state, { type, changes }) =>
      type === InputClick ? { ...changes, isOpen: true } : changes,
    onStateChange({ type, selectedItem }) {
      if (type === ItemClick && selectedItem) take(selectedItem.value);
    },
  });
  const settle = (): void => {
    const only = found.length === 1 && typed.trim() !== "" ? found[0] : undefined;
    const city = box.isOpen ? (found[box.highlightedIndex] ?? only) : undefined;
    box.closeMenu();
    take(city?.value ?? typed.trim());
  };
  const isShown = box.isOpen && found.length > 0;
  return (
    <div className="field combobox">
      <label {...box.getLabelProps()}>{t("browse.city")}</label>
      <input
        {...box.getInputProps({
          type: "text",
          maxLength: 100,
          placeholder: t("browse.cityPlaceholder"),
          "aria-expanded": isShown,
          onBlur: settle,
          onChange(event) {
            setTyped(event.currentTarget.value);
            if (event.currentTarget.value === "") onChange("");
          },
          onKeyDown(event) {
            if (event.key === "Enter" && !event.nativeEvent.isComposing) settle();
          },
        })}
      />
      <ul {...box.getMenuProps()} hidden={!isShown}>
        {isShown &&
          found.map((city, index) => (
            <li key={city.value} {...box.getItemProps({ item: city, index })}>
              {city.value} <span className="soft">{numberText(city.count)}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}
