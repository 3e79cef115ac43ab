import { flushSync } from "react-dom";
import type { AroundNavHandler } from "wouter";

/**
 * Fades from page to page where the browser can, and the visitor has not asked for less motion.
 * The page then changes a frame later: redirects, and callers that go on with the new page
 * (`transition: false`), do not wait for it. Filters change the address, but stay on their page.
 */
export const navigateWithTransition: AroundNavHandler = (navigate, to, options = {}) => {
  const { replace = false, transition: wanted = true } = options;
  const isSamePage = to.split("?")[0] === location.pathname;
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const can = "startViewTransition" in document && !document.hidden && !reduced;
  if (replace || !wanted || isSamePage || !can) {
    navigate(to, options);
    return;
  }
  const transition = document.startViewTransition(() => flushSync(() => navigate(to, options)));
  // A skipped transition is no fault: the page has changed all the same.
  for (const step of [transition.ready, transition.finished]) step.catch(() => undefined);
};
