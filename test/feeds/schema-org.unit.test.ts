import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readOneEvent, readReason, readRecords, readShort } from "../support/fixtures/feeds.ts";

const GIG = {
  "@type": "Event",
  name: "Gig",
  startDate: "2027-05-05T20:00",
  location: { "@type": "Place", address: { addressLocality: "Berlin", addressCountry: "DE" } },
};

describe("times of schema.org", () => {
  const startOf = async (startDate: unknown): Promise<string> =>
    (await readOneEvent([{ ...GIG, startDate }])).startsAt.slice(0, 16);

  it("are read in the loose forms that pages have", async () => {
    const forms = {
      "2027-05-05T24:00": "2027-05-05T22:00",
      "2027-05-05T24:00:00+02:00": "2027-05-05T22:00",
      "2027-05-05T20:00+02": "2027-05-05T18:00",
      "2027-05-05T20:00:00+2": "2027-05-05T18:00",
      "2027-05-05T20:00-0330": "2027-05-05T23:30",
      "2027-05-05T9:00": "2027-05-05T07:00",
      "2027-05-05 9:00": "2027-05-05T07:00",
      "2027-05-05T20:00 +02:00": "2027-05-05T18:00",
      "2027-05-05 20:00:00 +0200": "2027-05-05T18:00",
      "2027-05-05 20:00 UTC": "2027-05-05T20:00",
      "2027-05-05t20:00z": "2027-05-05T20:00",
      "2027-05-05T20": "2027-05-05T18:00",
      "2027-05-05T20:00:00.123456+02:00": "2027-05-05T18:00",
      "2027-05-05T20:00:00,5Z": "2027-05-05T20:00",
      "20270505T200000Z": "2027-05-05T20:00",
      "20270505": "2027-05-05T07:00",
    };
    for (const [text, moment] of Object.entries(forms))
      assert.equal(await startOf(text), moment, text);
  });

  it("are refused where they could mean two things, or nothing", async () => {
    for (const text of [
      "2027-05-05T24:30",
      "2027-05-05T25:00",
      "2027-05-05T20:61",
      "2027-05-32",
      "2027-02-29T20:00",
      "2027-0505",
      "05/06/2027",
      "2027-05-05T20:00+020",
      "2027-05-05T20:00+24:00",
      "2027-05-05T8pm",
      "2027-05-05T20:00 CEST",
      "tomorrow",
    ])
      // prettier-ignore
      assert.match(
        await readReason([{ ...GIG, startDate: text }]),
        /is not a (date|day of the calendar|time of the day)$|offset that does not exist$/,
        text,
      );
  });

  it("that end when they start have no known end; durations are nominal", async () => {
    const short = (fields: object): Promise<string[]> => readShort([{ ...GIG, ...fields }]);
    const open = ["Gig: 2027-05-05T18:00 to 2027-05-06T02:00 Europe/Berlin"];
    assert.deepEqual(await short({ endDate: "2027-05-05T20:00" }), open);
    assert.deepEqual(await short({ endDate: "2027-05-05T18:00Z" }), open);
    assert.deepEqual(await short({ duration: "PT0H" }), open);
    assert.deepEqual(await short({ startDate: "2027-03-27T20:00", duration: "P1D" }), [
      "Gig: 2027-03-27T19:00 to 2027-03-28T18:00 Europe/Berlin",
    ]);
    const listing = { name: "Gig", date: "2027-05-05", startTime: "20:00", location: "Berlin" };
    assert.deepEqual(await readShort([{ ...listing, endTime: "20:00" }]), open);
  });
});

describe("places of schema.org", () => {
  const placeOf = async (address: object): Promise<string> => {
    const location = {
      "@type": "Place",
      name: "Hall",
      address: { "@type": "PostalAddress", ...address },
    };
    const event = await readOneEvent([{ ...GIG, location }]);
    return `${event.location}: ${event.timeZone}`;
  };

  it("are told apart by their region", async () => {
    const us = { addressCountry: "US" };
    const portland = { addressLocality: "Portland", ...us };
    assert.equal(
      await placeOf({ ...portland, addressRegion: "ME" }),
      "Portland, ME: America/New_York",
    );
    assert.equal(
      await placeOf({ ...portland, addressRegion: "Maine" }),
      "Portland, ME: America/New_York",
    );
    assert.equal(
      await placeOf({ ...portland, addressRegion: "US-ME" }),
      "Portland, ME: America/New_York",
    );
    assert.equal(
      await placeOf({ ...portland, addressRegion: { "@type": "State", name: "Oregon" } }),
      "Portland, OR: America/Los_Angeles",
    );
    assert.equal(
      await placeOf({
        addressLocality: "Springfield",
        addressRegion: "Missouri",
        addressCountry: { "@type": "Country", name: "United States" },
      }),
      "Springfield, MO: America/Chicago",
    );
    assert.equal(
      await placeOf({ addressLocality: "Springfield", addressRegion: "missouri" }),
      "Springfield, MO: America/Chicago",
    );
    assert.equal(
      await placeOf({ addressLocality: "Smallville", addressRegion: "KS", ...us }),
      "Smallville, KS: America/Chicago",
    );
    assert.equal(
      await placeOf({ addressLocality: "London", addressRegion: "Ontario", addressCountry: "CA" }),
      "London, ON: America/Toronto",
    );
    assert.equal(
      await placeOf({ addressLocality: "Perth", addressRegion: "WA", addressCountry: "AU" }),
      "Perth, WA: Australia/Perth",
    );
    assert.equal(
      await placeOf({ addressLocality: "München", addressRegion: "Bayern", addressCountry: "DE" }),
      "München: Europe/Berlin",
    );
    assert.equal(
      await placeOf({ addressLocality: "Portland", addressRegion: "Nowhere", ...us }),
      "Portland: America/Los_Angeles",
    );
  });

  it("are read from texts with their state", async () => {
    const place = async (location: string): Promise<string> => {
      const event = await readOneEvent([{ ...GIG, location }]);
      return `${event.location}: ${event.timeZone} ${event.country}`;
    };
    assert.equal(
      await place("Hall, 1 Main St, Portland, Maine 04101, USA"),
      "Portland, ME: America/New_York USA",
    );
    assert.equal(
      await place("Fox Theatre, Atlanta, Georgia"),
      "Atlanta, GA: America/New_York null",
    );
    assert.equal(await place("Opera, Tbilisi, Georgia"), "Tbilisi: Asia/Tbilisi Georgia");
    assert.equal(
      await place("Arena, Springfield, MO, USA"),
      "Springfield, MO: America/Chicago USA",
    );
  });
});

describe("states, texts and offers of schema.org", () => {
  const statusOf = async (eventStatus: unknown): Promise<string> =>
    (await readOneEvent([{ ...GIG, eventStatus }])).status;

  it("are known in any spelling; one that stops the sale counts", async () => {
    for (const status of [
      "https://schema.org/EventCancelled",
      "http://schema.org/eventcancelled/",
      "EventCanceled",
      "cancelled",
      { "@id": "schema:EventCancelled" },
      ["EventScheduled", "EventCancelled"],
    ])
      // prettier-ignore
      assert.equal(await statusOf(status), "cancelled", JSON.stringify(status));
    assert.equal(
      await statusOf(["EventRescheduled", "https://schema.org/EventPostponed"]),
      "postponed",
    );
    assert.equal(await statusOf("EventRescheduled"), "scheduled");
    const moved = await readOneEvent([{ ...GIG, eventStatus: ["EventMovedOnline"] }]);
    assert.equal(moved.location, "Online");
  });

  it("have no entities", async () => {
    const event = await readOneEvent([
      { ...GIG, name: "Rock &amp; Roll &#8211; Live", location: "Caf&eacute; X, Berlin" },
    ]);
    assert.deepEqual([event.name, event.location], ["Rock & Roll – Live", "Berlin"]);
  });

  it("read the opening of a sale, and say that it is not kept", async () => {
    const noteOf = async (offers: unknown): Promise<unknown> => {
      const [record] = await readRecords([
        { ...GIG, offers, image: ["x", { url: "https://x.example/a.jpg" }] },
      ]);
      return record !== undefined && "note" in record ? record.note : record;
    };
    const note = "offers.validFrom is not kept: it is on sale at once";
    assert.equal(await noteOf({ "@type": "Offer", validFrom: "2027-01-01T10:00+01:00" }), note);
    assert.equal(await noteOf([{ price: 1 }, { availabilityStarts: "2027-01-01" }]), note);
    const wrong = await readReason([{ ...GIG, offers: { validFrom: "soon" } }]);
    assert.equal(wrong, 'offers.validFrom "soon" is not a date');
  });
});
