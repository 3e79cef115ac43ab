import type { ReactNode } from "react";
import type { Event } from "../api/types.ts";
import { spanText, zoneText } from "../components/format.ts";

/** Times, where the event is known, and the place. */
export function WhenWhere({
  event,
  location,
}: {
  event: Event | undefined;
  location: string;
}): ReactNode {
  return (
    <>
      {event && (
        <>
          {spanText(event)} <span className="soft">({zoneText(event)})</span>
          <br />
        </>
      )}
      {location}
    </>
  );
}
