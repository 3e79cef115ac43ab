import { type ReactNode, useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "wouter";
import { usePageTitle } from "../components/page-title.ts";
import { type Filters, filtersFrom, paramsOf } from "./filters.ts";
import { Results } from "./results.tsx";
import { SearchForm } from "./search-form.tsx";

/** Search page. The address is the only place that holds the filters. */
export function BrowsePage(): ReactNode {
  const { t } = useTranslation();
  usePageTitle("");
  const [params, setParams] = useSearchParams();
  const filters = filtersFrom(params);
  // Each filter is an entry of the history, so that Back undoes it. A typed name is one entry.
  const change = useCallback(
    (changed: Partial<Filters>, typing = false) =>
      setParams((latest) => paramsOf({ ...filtersFrom(latest), ...changed }), {
        replace: typing && (history.state as { typing?: boolean } | null)?.typing === true,
        state: { typing },
      }),
    [setParams],
  );
  return (
    <>
      <section className="hero">
        <h1>{t("browse.title")}</h1>
        <SearchForm filters={filters} onChange={change} />
      </section>
      <Results filters={filters} onClear={() => setParams(new URLSearchParams())} />
    </>
  );
}
