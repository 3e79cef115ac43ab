import { type ReactNode, useCallback } from "react";
import { useTranslation } from "react-i18next";
import { numberText } from "../components/format.ts";
import { Chips } from "./chips.tsx";
import { DateFields } from "./date-fields.tsx";
import type { Filters } from "./filters.ts";
import { SearchField } from "./search-field.tsx";
import { useTypeName } from "./type-name.ts";
import { useChoices } from "./use-events.ts";

const TYPES_SHOWN = 8;

export function SearchForm({
  filters,
  onChange,
}: {
  filters: Filters;
  /** `typing`: one of several changes that follow each other. */
  onChange: (changed: Partial<Filters>, typing?: boolean) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { data } = useChoices();
  const typeName = useTypeName();
  const type = useCallback((name: string) => onChange({ name }, true), [onChange]);
  const types = (data?.types ?? []).slice(0, TYPES_SHOWN);
  if (filters.type !== "" && !types.some(({ value }) => value === filters.type))
    types.push({ value: filters.type, count: 0 });
  // Counts are of the whole catalog: beside another filter they would promise events of elsewhere.
  const counted = [filters.name, filters.location, filters.from, filters.to].every(
    (filter) => filter === "",
  );
  return (
    <form
      className="search"
      role="search"
      aria-label={t("browse.search")}
      onSubmit={(event) => event.preventDefault()}
    >
      <SearchField
        value={filters.name}
        cities={data?.locations ?? []}
        onType={type}
        onCity={(location) => onChange({ location, name: "" })}
      />
      {filters.location !== "" && (
        <button
          type="button"
          className="taken"
          aria-label={t("browse.anywhere", { city: filters.location })}
          onClick={() => onChange({ location: "" })}
        >
          {filters.location} <span aria-hidden="true">×</span>
        </button>
      )}
      <DateFields from={filters.from} to={filters.to} onChange={(days) => onChange(days)} />
      <Chips
        label={t("browse.type")}
        value={filters.type}
        choices={[
          { value: "", label: t("browse.anyType") },
          ...types.map(({ value, count }) => ({
            value,
            label: typeName(value),
            ...(counted && count > 0 && { count: numberText(count) }),
          })),
        ]}
        onChange={(type) => onChange({ type })}
      />
    </form>
  );
}
