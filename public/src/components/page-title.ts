import { useEffect } from "react";

/** The document's title; empty for the first page. */
export function documentTitle(title: string): string {
  return title === "" ? "Boxoffice" : `${title} · Boxoffice`;
}

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = documentTitle(title);
  }, [title]);
}
