import type { ReactNode } from "react";
import { LoadingWords } from "../components/loading.tsx";

/** The page's own shape while its event is on the way, so that nothing jumps when it is there. */
export function EventSkeleton({ failures }: { failures: number }): ReactNode {
  return (
    <>
      <LoadingWords failures={failures} />
      <div className="event" aria-hidden="true">
        <div className="event-art skeleton" />
        <div className="event-head">
          <div className="skeleton line line-short" />
          <div className="skeleton line line-title" />
          <div className="skeleton line" />
        </div>
        <div className="buy-coming skeleton" />
      </div>
    </>
  );
}
