import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Temporal } from "temporal-polyfill";
import { momentOf, spanBetween } from "../../tools/feeds/local-time.ts";

/**
 * Zones with changes of an hour and half an hour, abolished, moved, around Ramadan, with a
 * skipped day, offsets of seconds, and none.
 */
const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Pacific/Apia",
  "Africa/Monrovia",
  "Asia/Kathmandu",
  "UTC",
];
const MINUTES_OF_A_YEAR = 366 * 24 * 60;

/** In UTC, since some clocks were half a minute off. */
function wholeMinute(moment: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const minute = Math.floor(moment.epochMilliseconds / 60_000);
  return Temporal.Instant.fromEpochMilliseconds(minute * 60_000).toZonedDateTimeISO(
    moment.timeZoneId,
  );
}

describe("local times of feeds", () => {
  for (const zone of ZONES)
    it(`equal Temporal's for ${zone}, around each change of its clocks and between`, () => {
      const moments: Temporal.ZonedDateTime[] = [];
      let at = Temporal.Instant.from("1970-01-03T00:00Z").toZonedDateTimeISO(zone);
      for (let index = 0; index < 40; index += 1) {
        const change = at.getTimeZoneTransition("next");
        at = change !== null && change.year < 2040 ? change : at.add({ days: 367 });
        for (const hours of [-49, -25, -3, -2, -1, 0, 1, 2, 23, 25, 49])
          moments.push(wholeMinute(at.add({ minutes: hours * 60 + 30 })));
      }
      for (const moment of moments) {
        const [date, time] = [
          moment.toPlainDate().toString(),
          moment.toPlainTime().toString({ smallestUnit: "minute" }),
        ];
        const wanted = Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(zone, {
          disambiguation: "compatible",
        });
        assert.equal(momentOf(date, time, zone), wanted.epochMilliseconds, `${date} ${time}`);
        const end = moment.add({ hours: 26, minutes: 15 });
        const span = spanBetween(moment.epochMilliseconds, end.epochMilliseconds, zone);
        assert.deepEqual([span.date, span.startTime], [date, time]);
        assert.equal(span.endTime, end.toPlainTime().toString({ smallestUnit: "minute" }));
        assert.equal(span.duration, 26 * 60 + 15);
      }
    });

  it("move a skipped time behind the gap; a repeated time means the first", () => {
    assert.equal(momentOf("2026-03-29", "02:30", "Europe/Berlin"), Date.parse("2026-03-29T01:30Z"));
    assert.equal(momentOf("2026-10-25", "02:30", "Europe/Berlin"), Date.parse("2026-10-25T00:30Z"));
  });

  it("what is no day or no time throws, as ever", () => {
    assert.throws(() => momentOf("2026-02-30", "10:00", "UTC"));
    assert.throws(() => momentOf("2026-02-20", "25:00", "UTC"));
    assert.throws(() => spanBetween(Number.NaN, MINUTES_OF_A_YEAR, "UTC"));
  });
});
