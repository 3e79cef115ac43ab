import { DataTypes, Model } from "sequelize";
import {
  type EventImage,
  IMAGE_WIDTHS,
  imagePath,
  type ShownImage,
} from "../../../domain/event-image.ts";
import type { EventStatus } from "../../../domain/event-record.ts";

/** An event of the API (schema Event). */
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
  status: EventStatus;
  totalCapacity: number;
  available: number;
  /** Absent: no picture. */
  image?: ShownImage;
};

/** An event without its availability, with its picture as it is stored. */
export type EventRow = Omit<EventView, "available" | "image"> & { image: EventImage | null };

/** An event as it is read. The end time decides how long copies live; it is not part of the API. */
export type StoredEvent = EventRow & { endsAtMs: number };

/** Columns of a StoredEvent. Texts and numbers only, because it travels on the bus as JSON. */
export const EVENT_COLUMNS = `
  event.id, event.name, event.type, event.location, event.country, event.url,
  to_char(event.date, 'YYYY-MM-DD') AS date,
  to_char(event.start_time, 'HH24:MI') AS "startTime",
  to_char(event.end_time, 'HH24:MI') AS "endTime", event.duration, event.time_zone AS "timeZone",
  to_char(event.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "startsAt",
  event.status, event.total_capacity AS "totalCapacity", event.image,
  (extract(epoch FROM event.ends_at) * 1000)::float8 AS "endsAtMs"`;

/**
 * Model of the adapter, which reads single events. Leaves out the columns that only searches
 * need.
 */
export const EVENT_TABLE = {
  name: "event",
  attributes: {
    id: { type: DataTypes.UUID, primaryKey: true },
    name: DataTypes.TEXT,
    type: DataTypes.TEXT,
    location: DataTypes.TEXT,
    country: DataTypes.TEXT,
    url: DataTypes.TEXT,
    date: DataTypes.DATEONLY,
    startTime: DataTypes.TIME,
    endTime: DataTypes.TIME,
    duration: DataTypes.INTEGER,
    timeZone: DataTypes.TEXT,
    startsAt: DataTypes.DATE,
    endsAt: DataTypes.DATE,
    status: DataTypes.TEXT,
    totalCapacity: DataTypes.INTEGER,
    image: DataTypes.JSONB,
  },
};

/** An event as the API shows it. A row that the last release has copied has no picture. */
export function eventView({ image, ...row }: EventRow, available: number): EventView {
  if (!image) return { ...row, available };
  const { hash, width, height } = image;
  const [url, thumbnailUrl] = [
    imagePath(hash, IMAGE_WIDTHS.large),
    imagePath(hash, IMAGE_WIDTHS.small),
  ];
  return { ...row, available, image: { url, thumbnailUrl, width, height } };
}

/** Converts an instance of the adapter. Returns undefined for null. */
export function readEvent(instance: unknown): StoredEvent | undefined {
  if (!(instance instanceof Model)) return undefined;
  const { endsAt, ...stored } = instance.get({ plain: true }) as Omit<EventRow, "startsAt"> & {
    startsAt: Date;
    endsAt: Date;
  };
  return {
    ...stored,
    startTime: stored.startTime.slice(0, 5),
    endTime: stored.endTime.slice(0, 5),
    startsAt: stored.startsAt.toISOString(),
    endsAtMs: endsAt.getTime(),
  };
}
