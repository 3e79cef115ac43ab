// The calendar file of an order, as a second reader (ical.js) understands it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import ICAL from "ical.js";
import { type CalendarOrder, orderCalendar } from "../../lib/calendar/order-calendar.ts";

const NOW = Date.parse("2026-12-01T10:00:00Z");
const ORDER: CalendarOrder = {
  id: "0123456789abcdef".repeat(8),
  event: {
    name: "Così; fan, tutte – Ελένη Μαρκάκη und das sehr lange Programm des ganzen Abends",
    location: "Wien, Österreich",
    startsAt: "2026-12-24T19:00:00.000Z",
    endsAt: "2026-12-24T21:30:00.000Z",
    status: "scheduled",
  },
  quantity: 2,
  description: "You have 2 tickets\nBEGIN:VEVENT",
  url: "https://tickets.example/events/e",
};

function read(order: CalendarOrder, nowMs = NOW): ICAL.Component {
  const events = new ICAL.Component(
    ICAL.parse(orderCalendar(order, nowMs)) as unknown[] as never,
  ).getAllSubcomponents("vevent");
  assert.equal(events.length, 1);
  return events[0] ?? assert.fail();
}

describe("the calendar file of an order", () => {
  it("is read back as it was meant", () => {
    const event = read(ORDER);
    const text = (name: string): string => String(event.getFirstPropertyValue(name));
    assert.equal(text("summary"), ORDER.event.name);
    assert.equal(text("location"), "Wien, Österreich");
    assert.equal(text("description"), ORDER.description);
    assert.equal(text("url"), ORDER.url);
    assert.equal(text("status"), "CONFIRMED");
    assert.equal(text("dtstart"), "2026-12-24T19:00:00Z");
    assert.equal(text("dtend"), "2026-12-24T21:30:00Z");
    assert.equal(text("dtstamp"), "2026-12-01T10:00:00Z");
  });

  it("keeps its UID, so that a later file replaces the entry; another order has another", () => {
    const uidOf = (order: CalendarOrder, nowMs?: number): unknown =>
      read(order, nowMs).getFirstPropertyValue("uid");
    const moved = { ...ORDER, event: { ...ORDER.event, startsAt: "2026-12-24T20:00:00Z" } };
    assert.equal(uidOf(moved, NOW + 1_000), uidOf(ORDER));
    assert.notEqual(uidOf({ ...ORDER, id: "f".repeat(128) }), uidOf(ORDER));
  });

  it("says that the event or the order is cancelled, or that the date is open", () => {
    const statusOf = (order: Partial<CalendarOrder>): unknown =>
      read({ ...ORDER, ...order }).getFirstPropertyValue("status");
    assert.equal(statusOf({ event: { ...ORDER.event, status: "cancelled" } }), "CANCELLED");
    assert.equal(statusOf({ event: { ...ORDER.event, status: "postponed" } }), "TENTATIVE");
    assert.equal(statusOf({ quantity: 0 }), "CANCELLED");
  });

  it("has lines of 75 octets at most, each ended by CR LF", () => {
    const text = orderCalendar(ORDER, NOW);
    for (const line of text.split("\r\n")) assert.ok(Buffer.byteLength(line) <= 75, line);
    assert.ok(text.endsWith("END:VCALENDAR\r\n"));
    assert.doesNotMatch(text.replaceAll("\r\n", ""), /[\r\n]/);
  });
});
