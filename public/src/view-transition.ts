import { flushSync } from "react-dom";
import type { AroundNavHandler } from "wouter";

/**
 * Fades from page to page where the browser can, and the visitor has not asked for less motion.
 * Filters change the address, too, but stay on their page.
 */
export const navigateWithTransition: AroundNavHandler = (navigate, to, options) => {
  const isSamePage = to.split("?")[0] === location.pathname;
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (isSamePage || reduced || document.hidden || !("startViewTransition" in document)) {
    navigate(to, options);
    return;
  }
  const transition = document.startViewTransition(() => flushSync(() => navigate(to, options)));
  // A skipped transition is no fault: the page has changed all the same.
  for (const step of [transition.ready, transition.finished]) step.catch(() => undefined);
};
