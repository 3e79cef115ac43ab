import { EVENT_STATUSES } from "../../../domain/event-record.ts";
import { DAY, type Schema, UUID } from "../routing/route.ts";

/** Response schemas by name. Requests are described by the rules that validate them. */
export const RESPONSE_SCHEMAS: Readonly<Record<string, Schema>> = {
  User: record({ id: UUID, email: text(), name: text(), role: oneOf("customer", "operator") }),
  Session: record(
    {
      accessToken: text("Signed, for an hour; sent as `Authorization: Bearer …`"),
      tokenType: { const: "Bearer" },
      expiresIn: { type: "integer", description: "Seconds" },
      refreshToken: text("With `delivery: body` only; else it is in an HttpOnly cookie"),
      user: ref("User"),
    },
    ["refreshToken"],
  ),
  Preferences: record({
    language: { type: "string", enum: ["en", "de"], description: "Language of e-mails" },
    mailsOff: {
      type: "array",
      items: { type: "string", enum: ["receipt", "cancellation", "event-change"] },
      description: "Kinds of e-mails that are not sent",
    },
    emailConfirmed: { type: "boolean" },
  }),
  SignedInSession: record(
    {
      id: UUID,
      createdAt: instant(),
      lastUsedAt: instant(),
      userAgent: text(),
      address: text(),
      current: { type: "boolean", description: "The session of this request" },
    },
    ["userAgent", "address"],
  ),
  Count: record({ value: text(), count: { type: "integer" } }),
  Event: record(
    {
      id: UUID,
      name: text(),
      type: text(),
      location: text("City"),
      country: { type: ["string", "null"] },
      url: { type: ["string", "null"] },
      date: { ...DAY, description: "Local to the city" },
      startTime: { type: "string", pattern: "^\\d\\d:\\d\\d$" },
      endTime: { type: "string", pattern: "^\\d\\d:\\d\\d$" },
      duration: { type: "integer", description: "Minutes" },
      timeZone: text("IANA name"),
      startsAt: instant(),
      status: oneOf(...EVENT_STATUSES),
      totalCapacity: { type: "integer" },
      available: { type: "integer", description: "Left to sell, at most 2 s old at the reader" },
      image: ref("EventImage"),
    },
    ["image"],
  ),
  EventImage: {
    ...record({
      url: text("Path on this gateway, a WebP of at most 1,280 pixels in width"),
      thumbnailUrl: text("The same picture, at most 480 pixels in width"),
      width: { type: "integer", description: "Of `url`, in pixels" },
      height: { type: "integer", description: "Of `url`, in pixels" },
    }),
    description: "Absent if the event has no picture. Another gateway may lack the file (404)",
  },
  Ticket: record(
    {
      id: UUID,
      eventId: UUID,
      eventName: text(),
      location: text("City"),
      eventDate: { ...DAY, description: "Local to the city" },
      eventStatus: oneOf(...EVENT_STATUSES),
      transactionId: { type: "string", pattern: "^[0-9a-f]{128}$" },
      status: oneOf("active", "cancelled"),
      purchasedAt: instant(),
      cancelledAt: { type: ["string", "null"], format: "date-time" },
      code: text("Content of the QR code. Only where an active ticket is read, alone or in a list"),
    },
    ["code"],
  ),
  Purchase: record({
    transactionId: text("HMAC-SHA512, hex"),
    status: oneOf("pending", "completed", "failed"),
    eventId: UUID,
    quantity: { type: "integer" },
    tickets: listOf(ref("Ticket")),
  }),
  Transaction: record({
    transactionId: text("HMAC-SHA512, hex"),
    eventId: UUID,
    status: oneOf("pending", "completed", "failed"),
    quantity: {
      type: "integer",
      description: "Change of capacity: negative for a purchase, positive for a cancellation",
    },
  }),
};

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object schema. All members but `optional` are required; later versions may add more. */
export function record(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return {
    type: "object",
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    properties,
  };
}

export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

/** A page of a list, with its keyset cursor. */
export function pageOf(name: string): Schema {
  return record({
    items: listOf(ref(name)),
    nextCursor: {
      type: ["string", "null"],
      description: "The `cursor` of the next page; null at the end",
    },
  });
}

export function text(description?: string): Schema {
  return description === undefined ? { type: "string" } : { type: "string", description };
}

function oneOf(...values: string[]): Schema {
  return { type: "string", enum: values };
}

export function instant(): Schema {
  return { type: "string", format: "date-time" };
}
