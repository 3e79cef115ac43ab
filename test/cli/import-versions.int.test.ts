// Versions and cancellations of calendars, over several runs of the command.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Imports, startImports } from "../support/processes/import-program.ts";

describe("boxoffice import of calendars", () => {
  let imports: Imports;
  before(async () => void (imports = await startImports()));
  after(() => imports.close());

  it("cancels known events by their UID alone", async () => {
    const gig = (uid: string, hour: number): string[] => [
      "BEGIN:VEVENT",
      `UID:${uid}`,
      `SUMMARY:${uid} at ${hour}`,
      `DTSTART:20450601T${hour}0000Z`,
      "END:VEVENT",
    ];
    const last = async (lines: string[]) => {
      const feed = ["BEGIN:VCALENDAR", ...lines, "END:VCALENDAR", ""].join("\r\n");
      const { code, lines: said, errors } = await imports.run(["-", "--source", "named"], feed);
      assert.deepEqual([code, errors], [0, ""]);
      return said.at(-1) ?? "";
    };
    assert.match(
      await last([...gig("two", 18), ...gig("two", 20), ...gig("one", 19)]),
      /^imported 3/,
    );
    const cancel = ["METHOD:CANCEL", "BEGIN:VEVENT", "UID:two", "SEQUENCE:1", "END:VEVENT"];
    assert.match(await last(cancel), /^imported 0, updated 2, unchanged 0, repeated 0, refused 0/);
    assert.match(await last(cancel), /^imported 0, updated 0, unchanged 1, repeated 0, refused 0/);
    const rows = await imports.engine.database.query<{ name: string; status: string }>({
      text: "SELECT name, status FROM event WHERE source = 'named' ORDER BY name",
    });
    assert.deepEqual(
      rows.map(({ name, status }) => [name, status]),
      [
        ["one at 19", "scheduled"],
        ["two at 18", "cancelled"],
        ["two at 20", "cancelled"],
      ],
    );
  });

  it("changes nothing by a file whose events are older versions", async () => {
    const feed = (sequence: string[], summary: string, ...head: string[]): string =>
      [
        "BEGIN:VCALENDAR",
        ...head,
        "BEGIN:VEVENT",
        "UID:versions",
        ...sequence,
        ...(summary === "" ? [] : [`SUMMARY:${summary}`, "DTSTART:20450602T180000Z"]),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
      ].join("\r\n");
    const counts = async (...given: Parameters<typeof feed>): Promise<number[]> => {
      const last =
        (await imports.run(["-", "--source", "versions"], feed(...given))).lines.at(-1) ?? "";
      return [...last.matchAll(/(?:imported|updated|unchanged) (\d+)/g)].map(([, n]) => Number(n));
    };
    const stored = async (): Promise<unknown[]> => {
      const [row] = await imports.engine.database.query<Record<string, unknown>>({
        text: "SELECT name, status, sequence FROM event WHERE source = 'versions'",
      });
      return Object.values(row ?? {});
    };
    const sequence = (number: number): string[] => [`SEQUENCE:${number}`];
    assert.deepEqual(await counts(sequence(3), "Third"), [1, 0, 0]);
    assert.deepEqual(await counts(sequence(2), "Second", "METHOD:CANCEL"), [0, 0, 1]);
    assert.deepEqual(await counts(sequence(2), "", "METHOD:CANCEL"), [0, 0, 1]);
    assert.deepEqual(await stored(), ["Third", "scheduled", 3]);
    assert.deepEqual(await counts(sequence(4), "Third"), [0, 1, 0], "the version alone");
    assert.deepEqual(await counts(sequence(3), "Third again"), [0, 0, 1]);
    assert.deepEqual(await stored(), ["Third", "scheduled", 4]);
    assert.deepEqual(await counts([], "Without"), [0, 1, 0], "a feed without versions");
    assert.deepEqual(await stored(), ["Without", "scheduled", 4]);
    assert.deepEqual(await counts(sequence(4), "", "METHOD:CANCEL"), [0, 1, 0]);
    assert.deepEqual(await stored(), ["Without", "cancelled", 4]);
  });
});
