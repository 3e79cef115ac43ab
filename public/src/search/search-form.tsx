import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Chips } from "./chips.tsx";
import { CityField } from "./city-field.tsx";
import { DateFields } from "./date-fields.tsx";
import type { Filters } from "./filters.ts";
import { NameField } from "./name-field.tsx";
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
  const types = (data?.types ?? []).slice(0, TYPES_SHOWN).map(({ value }) => value);
  if (filters.type !== "" && !types.includes(filters.type)) types.push(filters.type);
  return (
    <form
      className="search"
      role="search"
      aria-label={t("browse.search")}
      onSubmit={(event) => event.preventDefault()}
    >
      <div className="search-texts">
        <NameField value={filters.name} onChange={(name) => onChange({ name }, true)} />
        <CityField
          value={filters.location}
          cities={data?.locations ?? []}
          onChange={(location) => onChange({ location })}
        />
      </div>
      <DateFields from={filters.from} to={filters.to} onChange={(days) => onChange(days)} />
      <Chips
        label={t("browse.type")}
        value={filters.type}
        choices={[
          { value: "", label: t("browse.anyType") },
          ...types.map((value) => ({ value, label: typeName(value) })),
        ]}
        onChange={(type) => onChange({ type })}
      />
    </form>
  );
}
