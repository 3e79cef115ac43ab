import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  calendarOf,
  GIG,
  GIG_AT_SIX,
  gigAt,
  gigOf,
  readBytes,
  readOneEvent,
  readReason,
  readRecords,
  readShort,
  veventOf,
} from "../support/fixtures/feeds.ts";

describe("lines of a calendar", () => {
  it("end in CR, LF, CRLF, CRCRLF and all of them", async () => {
    const folded = gigOf("DESCRIPTION:a long", "  text", "LOCATION:Ber", " lin");
    for (const end of ["\r", "\n", "\r\n", "\r\r\n", "\r\r\r\n"])
      assert.deepEqual(await readShort(calendarOf(folded, end)), [GIG_AT_SIX], JSON.stringify(end));
    const mixed = calendarOf([...gigOf(), "\r", ...veventOf("UID:2", ...GIG.slice(1))], "\n");
    assert.equal((await readRecords(mixed)).length, 2);
  });

  it("are folded inside of words and of letters, in bytes", async () => {
    const text = calendarOf(gigOf("LOCATION:Köln"));
    const cut = Buffer.from(text).indexOf(0xc3) + 1;
    const bytes = Buffer.concat([
      Buffer.from(text).subarray(0, cut),
      Buffer.from("\r\n "),
      Buffer.from(text).subarray(cut),
    ]);
    const [record] = await readBytes(bytes);
    assert.ok(record !== undefined && "event" in record);
    assert.equal(record.event.location, "Köln");
  });

  it("belong to the component that they stand in", async () => {
    const alarm = ["BEGIN:VALARM", "TRIGGER:-PT1H", "DURATION:PT15M", "SUMMARY:Wake up"];
    const inner = ["DESCRIPTION:x", "DTSTART:20200101T000000Z", "END:VALARM"];
    assert.deepEqual(
      await readShort(calendarOf(veventOf(...alarm, ...inner, ...GIG, ...alarm, ...inner))),
      [GIG_AT_SIX],
    );
    const todo = ["BEGIN:VTODO", "SUMMARY:Not an event", "END:VTODO"];
    assert.deepEqual(await readShort(calendarOf([...todo, ...gigOf(), ...todo])), [GIG_AT_SIX]);
  });

  it("have parameters in quotes, and names in any case", async () => {
    const lines = [
      'summary;ALTREP="http://x.example/a;b:c";language=en:Gig',
      'Dtstart;tzid="Europe/Berlin":20270601T200000',
      "uid:1",
    ];
    assert.deepEqual(await readShort(calendarOf(["begin:vevent", ...lines, "end:vevent"])), [
      GIG_AT_SIX,
    ]);
  });

  it("that are not content lines refuse their event, if it needs them", async () => {
    assert.deepEqual(await readShort(calendarOf(gigOf("nonsense", "X-Y", "<b>?"))), [GIG_AT_SIX]);
    assert.equal(
      await readReason(calendarOf(gigAt('DTSTART;TZID="Europe/Berlin:20270601T200000'))),
      "DTSTART cannot be read",
    );
    assert.equal(await readReason(calendarOf(gigOf("DTEND;:x"))), "DTEND cannot be read");
  });
});

describe("one bad event of a calendar", () => {
  const others = [...gigOf(), ...veventOf("UID:9", "SUMMARY:After", "DTSTART:20270601T180000Z")];
  it("is refused by number, name and reason, and the others are read", async () => {
    const bad: [string[], string][] = [
      [gigOf("DTSTART:20270601T180000Z"), "DTSTART is there twice"],
      [gigOf("DTEND;VALUE=DATE:20270602"), "one of DTSTART and DTEND is a day, the other a time"],
      [gigOf("DTEND:20270601T2200"), "DTEND is not a date"],
      [gigOf("DURATION:"), "DURATION is not an ISO 8601 duration"],
      [
        ["BEGIN:VEVENT", ...GIG, " DTEND:20270601T220000", "END:VEVENT"],
        'time zone "Europe/Berlin:20270601T200000DTEND" is not known',
      ],
      [gigAt("DTSTART:20270601T180000Z", " DTEND:20270601T200000Z"), "DTSTART is not a date"],
      [gigOf("RRULE:"), "it repeats (RRULE): list each occurrence as an event of its own"],
      [
        gigOf("RRULE:FREQ=NEVER;BYDAY=1, 2"),
        "it repeats (RRULE): list each occurrence as an event of its own",
      ],
      [gigOf("DURATION:soon"), "DURATION is not an ISO 8601 duration"],
      [gigOf("DURATION:-PT1H"), "it ends before it starts"],
      [gigOf("DURATION:P99999999D"), "it cannot be read (RangeError"],
      [gigOf("DTEND:20270601T100000Z"), "it ends before it starts"],
      [gigOf("DTEND:20271301T100000Z"), "DTEND is not a date"],
      [gigOf(`DESCRIPTION:${"x".repeat(1_100_000)}`), "it is longer than 1 MiB"],
      [
        gigOf(...Array.from({ length: 1_100 }, () => `X:${"x".repeat(1_000)}`)),
        "it is longer than 1 MiB",
      ],
      [gigOf("BEGIN:VALARM"), "an alarm in it has no end"],
      [["BEGIN:VEVENT", ...GIG], "it has no end"],
    ];
    for (const [lines, reason] of bad) {
      const records = await readRecords(calendarOf([...lines, ...others]), {}, 65_536);
      const [first, ...rest] = records;
      assert.ok(first !== undefined && "reason" in first, reason);
      assert.ok(first.reason.startsWith(reason), first.reason);
      assert.deepEqual([first.number, first.name], [1, "Gig"]);
      assert.equal(rest.filter((record) => "event" in record).length, 2, reason);
    }
  });
});

describe("time zones of a calendar", () => {
  const zone = (id: string, ...rules: string[]): string[] => [
    "BEGIN:VTIMEZONE", `TZID:${id}`,
    "BEGIN:STANDARD", "DTSTART:19701025T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", ...rules.slice(0, 1), "END:STANDARD",
    "BEGIN:DAYLIGHT", "DTSTART:19700329T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", ...rules.slice(1), "END:DAYLIGHT",
    "END:VTIMEZONE",
  ]; // prettier-ignore
  const YEARLY = [
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
  ];
  const at = (id: string, time: string): string[] => gigAt(`DTSTART;TZID=${id}:${time}`);
  const startOf = async (lines: string[]): Promise<string> =>
    (await readOneEvent(calendarOf(lines))).startsAt.slice(0, 16);

  it("are the file's, in summer, in winter and in the hours of the change", async () => {
    const own = zone("Club", ...YEARLY);
    const expected = {
      "20270701T200000": "2027-07-01T18:00",
      "20270115T200000": "2027-01-15T19:00",
      "20270328T023000": "2027-03-28T01:30",
      "20271031T023000": "2027-10-31T00:30",
      "20990701T200000": "2099-07-01T18:00",
      "19710201T120000": "1971-02-01T11:00",
    };
    for (const [time, moment] of Object.entries(expected)) {
      assert.equal(await startOf([...own, ...at("Club", time)]), moment);
      assert.equal(await startOf([...at("Club", time), ...own]), moment, "defined behind it");
      assert.equal(await startOf(at("Europe/Berlin", time)), moment);
    }
  });

  it("end with UNTIL and list single changes with RDATE", async () => {
    const ended = zone(
      "Club",
      "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20261025T010000Z",
      `${YEARLY[1]};UNTIL=20260329T010000Z`,
    );
    assert.equal(await startOf([...ended, ...at("Club", "20260701T200000")]), "2026-07-01T18:00");
    assert.equal(await startOf([...ended, ...at("Club", "20270701T200000")]), "2027-07-01T19:00");
    const listed = zone("Club", "RDATE:20271031T030000,20281029T030000", "RDATE:20270328T020000");
    assert.equal(await startOf([...listed, ...at("Club", "20270701T200000")]), "2027-07-01T18:00");
    assert.equal(await startOf([...listed, ...at("Club", "20271101T200000")]), "2027-11-01T19:00");
  });

  it("do not count where they are damaged", async () => {
    const own = zone("Europe/Berlin", ...YEARLY);
    const damaged: [RegExp, string][] = [
      [/BEGIN:DAYLIGHT/, "X-LOST:1"],
      [/END:STANDARD/, "X-LOST:1"],
      [/TZOFFSETTO:\+0200/, "TZOFFSETTO:+0W00"],
      [/TZOFFSETTO:\+0200/, "TZOFFSETTO:-1300"],
      [/TZOFFSETTO:\+0200/, "TZOFFSETTO:+0500\r\nTZOFFSETTO:+0600"],
      [/DTSTART:19701025T030000/, "DTSTART:20270612T190000Z"],
      [/DTSTART:19701025T030000/, "DTSTART;VALUE=DATE:20270612"],
      [/DTSTART:19701025T030000/, "DTSTART;TZID=UTC:20270612T190000"],
      [/BYMONTH=3;BYDAY=-1SU/, "BYMONTH=3;BYD"],
      [/BYMONTH=3;BYDAY=-1SU/, "BYMONTH=3;BYDAY=-51SU"],
      [/BEGIN:DAYLIGHT/, "END:VTIMEZONE"],
    ];
    for (const [part, other] of damaged) {
      const zones = own.join("\r\n").replace(part, other).split("\r\n");
      assert.equal(
        await startOf([...zones, ...at("Europe/Berlin", "20270701T200000")]),
        "2027-07-01T18:00",
        other,
      );
      const unknown = zones.map((line) => line.replace("Europe/Berlin", "Club"));
      assert.match(
        await readReason(calendarOf([...unknown, ...at("Club", "20270701T200000")])),
        /^time zone "Club" is not known$/,
      );
    }
  });

  it("beat a known zone of the same name", async () => {
    const odd = ["BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530", "END:STANDARD", "END:VTIMEZONE"]; // prettier-ignore
    assert.equal(
      await startOf([...odd, ...at("Europe/Berlin", "20270701T200000")]),
      "2027-07-01T14:30",
    );
  });

  it("show the hour that the file says, in a zone that has it", async () => {
    const event = async (...lines: string[]): Promise<string[]> => {
      const { timeZone, startTime } = await readOneEvent(calendarOf([...zone("Club", ...YEARLY), ...veventOf("UID:1", "SUMMARY:Gig", "DTSTART;TZID=Club:20270701T200000", ...lines)])); // prettier-ignore
      return [timeZone, startTime];
    };
    assert.deepEqual(await event("LOCATION:Paris"), ["Europe/Paris", "20:00"]);
    assert.deepEqual(await event("LOCATION:Tokyo"), ["Etc/GMT-2", "20:00"]);
  });

  it("are known by their names, behind paths, and by those of Windows", async () => {
    const known = {
      "Europe/Berlin": "Europe/Berlin",
      "europe/berlin": "Europe/Berlin",
      "America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires",
      "/citadel.org/20210210_1/America/Argentina/Salta": "America/Argentina/Salta",
      "/freeassociation.sourceforge.net/Europe/Paris": "Europe/Paris",
      "W. Europe Standard Time": "Europe/Berlin",
      "Pacific Standard Time": "America/Los_Angeles",
      "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris": "Europe/Paris",
      '"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"': "Europe/Berlin",
      '"(UTC-05:00) Eastern Time (US & Canada)"': "America/New_York",
    };
    for (const [id, expected] of Object.entries(known)) {
      const { timeZone, startTime } = await readOneEvent(calendarOf(at(id, "20270701T200000")));
      assert.deepEqual([timeZone, startTime], [expected, "20:00"], id);
    }
  });

  it("that are not known refuse the event, whatever this machine's zone is", async () => {
    for (const id of [
      "Customized Time Zone",
      "tzone://Microsoft/Custom",
      "Nowhere/City",
      "Mars",
      '"(UTC+05:00) Nonsense"',
      "Etc/GMT+99",
    ])
      // prettier-ignore
      assert.match(await readReason(calendarOf(at(id, "20270701T200000"))), /^time zone .* is not known$/);
    assert.equal(
      await readReason(calendarOf([...zone("Club", ...YEARLY), ...at("Club", "19700201T120000")])),
      'time zone "Club" has no offset at this time',
    );
    const broken = zone("Club", "RRULE:FREQ=SECONDLY");
    assert.match(
      await readReason(calendarOf([...broken, ...at("Club", "20270701T200000")])),
      /Club/,
    );
  });

  it("come behind the place where the calendar says UTC, and other than the country's", async () => {
    const event = async (calendarZone: string, place: string, start: string) => {
      const lines = [
        `X-WR-TIMEZONE:${calendarZone}`,
        ...gigAt(`DTSTART:${start}`, `LOCATION:${place}`),
      ];
      const { timeZone, startsAt } = await readOneEvent(calendarOf(lines));
      return `${startsAt.slice(0, 16)} ${timeZone}`;
    };
    const moment = "20270726T210000Z";
    assert.equal(
      await event("UTC", "Waihi\\, New Zealand", moment),
      "2027-07-26T21:00 Pacific/Auckland",
    );
    assert.equal(await event("Etc/GMT", "Berlin", moment), "2027-07-26T21:00 Europe/Berlin");
    assert.equal(
      await event("Europe/London", "Waihi\\, New Zealand", moment),
      "2027-07-26T21:00 Pacific/Auckland",
    );
    assert.equal(
      await event("America/Denver", "Nowhere\\, USA", moment),
      "2027-07-26T21:00 America/Denver",
    );
    assert.equal(await event("UTC", "Berlin", "20270726T210000"), "2027-07-26T19:00 Europe/Berlin");
    assert.equal(await event("UTC", "Somewhere", moment), "2027-07-26T21:00 UTC");
  });
});
