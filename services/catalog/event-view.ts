/** An event as everyone outside sees it (the contract's Event). */
export type EventView = {
  id: string;
  name: string;
  type: string;
  location: string;
  country: string | null;
  url: string | null;
  date: string;
  startTime: string;
  endTime: string;
  duration: number;
  timeZone: string;
  startsAt: string;
  totalCapacity: number;
  available: number;
};

/** A row before it is known what is left to sell. */
export type EventRow = Omit<EventView, "available">;

/** Selects an EventRow. All text and numbers: what is read is what travels on the bus. */
export const EVENT_COLUMNS = `
  event.id, event.name, event.type, event.location, event.country, event.url, to_char(event.date, 'YYYY-MM-DD') AS date,
  to_char(event.start_time, 'HH24:MI') AS "startTime", to_char(event.end_time, 'HH24:MI') AS "endTime", event.duration,
  event.time_zone AS "timeZone", to_char(event.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "startsAt",
  event.total_capacity AS "totalCapacity"`;
