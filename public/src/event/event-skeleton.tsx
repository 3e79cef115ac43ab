import type { ReactNode } from "react";
import { LoadingText } from "../components/loading.tsx";

/** Placeholder in the shape of the event page, so that the layout does not shift. */
export function EventSkeleton({ failures }: { failures: number }): ReactNode {
  return (
    <>
      <LoadingText failures={failures} />
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
