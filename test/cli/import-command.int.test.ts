import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { Engine } from "../support/engine.ts";
import { type Imports, startImports } from "../support/processes/import-program.ts";
import { waitFor } from "../support/wait-for.ts";

describe("boxoffice import", () => {
  let imports: Imports;
  let engine: Engine;
  before(async () => {
    imports = await startImports();
    engine = imports.engine;
  });
  after(() => imports.close());

  const run: Imports["run"] = (...given) => imports.run(...given);

  const show = (name: string, more: object = {}): object => ({
    name,
    date: "2030-05-01",
    location: "Oslo",
    capacity: 40,
    ...more,
  });

  it("reports each refused record and counts on its last line; again, it changes nothing", async () => {
    const records = [
      show("One"),
      show("Two", { date: "2030-02-30" }),
      show("One"),
      show("Three"),
      { date: "2030-05-01" },
    ];
    const feed = records.map((record) => JSON.stringify(record)).join("\n");
    const { code, lines, errors } = await run(["-"], feed);
    assert.deepEqual([code, errors], [3, ""]);
    const [report = ""] = lines.splice(2, 1);
    assert.deepEqual(lines, [
      "record 2, Two: date 2030-02-30 is not a day of the calendar",
      "record 5, (no name): name is missing",
      "imported 2, updated 0, unchanged 0, repeated 1, refused 2",
    ]);
    const named = readFileSync(report.replace("report: ", ""), "utf8").trimEnd().split("\n");
    assert.deepEqual(
      named.map((line) => JSON.parse(line) as unknown),
      [
        {
          what: "refused",
          number: 2,
          name: "Two",
          reason: "date 2030-02-30 is not a day of the calendar",
        },
        {
          what: "repeated",
          number: 3,
          name: "One",
          reason: "an earlier record has its id, one|2030-05-01|oslo",
        },
        { what: "refused", number: 5, name: "(no name)", reason: "name is missing" },
      ],
    );
    const verbose = await run(["-", "--verbose"], feed);
    assert.ok(
      verbose.lines.includes("record 3, One: an earlier record has its id, one|2030-05-01|oslo"),
    );
    assert.equal(
      (await run(["-"], feed)).lines.at(-1),
      "imported 0, updated 0, unchanged 2, repeated 1, refused 2",
    );
    const more = await run(["-", "--duration", "60", "--type=revue"], feed);
    assert.equal(more.lines.at(-1), "imported 0, updated 2, unchanged 0, repeated 1, refused 2");
  });

  it("reads a packed feed from a web address, and says which one does not answer", async () => {
    const server = createServer((request, response) => {
      if (request.url === "/feed.json.gz")
        response.end(gzipSync(JSON.stringify([show("From the web")])));
      else response.writeHead(404).end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    assert.equal(
      (await run([`${address}/feed.json.gz`])).lines.at(-1),
      "imported 1, updated 0, unchanged 0, repeated 0, refused 0",
    );
    const missing = await run([`${address}/other`]);
    assert.equal(missing.code, 1);
    assert.match(missing.errors, /cannot be fetched: the server answered 404/);
    server.close();
  });

  it("fails where the feed cannot be read, says where, and keeps what came before", async () => {
    const { code, lines, errors } = await run(["-"], `[${JSON.stringify(show("Before"))},\n oops]`);
    assert.equal(code, 1);
    assert.equal(errors.trim(), "The feed - cannot be read: not JSON at line 2, column 2");
    assert.deepEqual(lines, ["imported 1, updated 0, unchanged 0, repeated 0, refused 0"]);
  });

  it("says what to do where no engine runs, and which option is wrong", async () => {
    const without = await run(["-"], "[]", { DATA_DIR: `${engine.config.dataDir}/elsewhere` });
    assert.equal(without.code, 1);
    assert.match(without.errors, /Run npx boxoffice start first/);
    assert.equal(without.lines.at(-1), "imported 0, updated 0, unchanged 0, repeated 0, refused 0");
    const wrong = await run(["-", "--start-time", "9 am"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.errors, /--start-time .*argument '9 am' is invalid.*a time such as 19:30/);
  });

  it("writes 800 of 1,000 records, names the 200 others, and says so by its exit code", async () => {
    const bad = [
      "RRULE:FREQ=DAILY;BYDAY=MO, TU",
      "DURATION:soon",
      "DTEND:20300501T100000Z",
      "RRULE:",
    ];
    const events = Array.from({ length: 1_000 }, (_, index) =>
      [
        "BEGIN:VEVENT",
        `UID:hostile ${index}`,
        `SUMMARY:\u202ENight ${index}`,
        "DTSTART:20300501T180000Z",
        ...(index % 5 === 0 ? [bad[(index / 5) % bad.length] ?? ""] : []),
        "END:VEVENT",
      ].join("\r\n"),
    );
    const { code, lines, errors } = await run(
      ["-"],
      ["BEGIN:VCALENDAR", ...events, "END:VCALENDAR"].join("\r\n"),
    );
    assert.deepEqual([code, errors], [3, ""]);
    assert.equal(lines.at(-1), "imported 800, updated 0, unchanged 0, repeated 0, refused 200");
    assert.equal(lines.filter((line) => /^record \d+, Night \d+: ./.test(line)).length, 200);
  });

  it("fails where a feed has no event in it, and changes nothing", async () => {
    for (const feed of ["[]", "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"]) {
      const { code, errors } = await run(["-", "--missing", "cancel"], feed);
      assert.equal(code, 1);
      assert.equal(errors.trim(), "The feed - cannot be read: there is no event in it");
    }
  });

  it("keeps two sources apart, and cancels what left one of them only if it is told to", async () => {
    const feedOf = (...names: string[]): string =>
      names.map((name) => JSON.stringify(show(name, { id: name }))).join("\n");
    const last = async (words: string[], feed: string) =>
      (await run(["-", ...words], feed)).lines.at(-1);
    const states = async () =>
      engine.database.query({
        text: "SELECT source, name, status FROM event WHERE source IN ('hall', 'club') ORDER BY 1, 2",
      });
    await run(["-", "--source", "hall"], feedOf("A", "B"));
    assert.equal(
      await last(["--source", "club"], feedOf("A", "B", "C")),
      "imported 3, updated 0, unchanged 0, repeated 0, refused 0, missing 0, cancelled 0",
    );
    assert.equal(
      await last(["--source", "club"], feedOf("A")),
      "imported 0, updated 0, unchanged 1, repeated 0, refused 0, missing 2, cancelled 0",
    );
    const refused = `${feedOf("A")}\n{"name":"Who?"}`;
    assert.match(
      (await last(["--source", "club", "--missing", "cancel"], refused)) ?? "",
      /refused 1, missing 2, cancelled 0$/,
    );
    const byId = `${feedOf("A")}\n${JSON.stringify(show("B", { id: "B", capacity: -1 }))}`;
    assert.match(
      (await last(["--source", "club", "--missing", "cancel"], byId)) ?? "",
      /refused 1, missing 1, cancelled 1$/,
    );
    const [a, b] = [
      ["A", "scheduled"],
      ["B", "scheduled"],
    ];
    const rows = (await states()) as { source: string; name: string; status: string }[];
    assert.deepEqual(
      rows.map(({ source, name, status }) => [source, name, status]),
      [
        ["club", ...(a ?? [])],
        ["club", ...(b ?? [])],
        ["club", "C", "cancelled"],
        ["hall", ...(a ?? [])],
        ["hall", ...(b ?? [])],
      ],
    );
    assert.equal(
      await last(["--source", "club", "--missing", "cancel"], feedOf("A", "B", "C")),
      "imported 0, updated 1, unchanged 2, repeated 0, refused 0, missing 0, cancelled 0",
    );
  });

  it("moves, cancels and finds again the events of a calendar", async () => {
    const read = (name: string): string =>
      readFileSync(new URL(`../data/field-feeds/${name}`, import.meta.url), "utf8");
    const last = async (feed: string) => (await run(["-", "--source", "field"], feed)).lines.at(-1);
    assert.match((await last(read("f4-cancel-1.ics"))) ?? "", /^imported 1,/);
    assert.match((await last(read("f4-cancel-2.ics"))) ?? "", /^imported 0, updated 1,/);
    const [gig] = await engine.database.query<{ status: string }>({
      text: "SELECT status FROM event WHERE source = 'field'",
    });
    assert.equal(gig?.status, "cancelled");
    const three = read("f8-same-uid.ics");
    assert.match((await last(three)) ?? "", /^imported 3,/);
    assert.match((await last(three)) ?? "", /^imported 0, updated 0, unchanged 3,/);
    // The first of them is over and no longer in the feed.
    const two = three.replace(/BEGIN:VEVENT[^]*?END:VEVENT\r\n/, "");
    assert.match((await last(two)) ?? "", /^imported 0, updated 0, unchanged 2,/);
    const one = two.replace(/BEGIN:VEVENT[^]*?END:VEVENT\r\n/, "");
    assert.match((await last(one)) ?? "", /^imported 0, updated 0, unchanged 1,/);
  });

  it("stops at Ctrl-C, also a doubled one, with what it did", async () => {
    const { child, ended } = imports.start(["-"]);
    for (let number = 1; number <= 600; number += 1)
      child.stdin.write(`${JSON.stringify(show(`Long feed ${number}`))}\n`);
    const written = "SELECT FROM event WHERE name LIKE 'Long feed %'";
    await waitFor(async () => (await engine.database.query({ text: written })).length >= 500, {
      withinMs: 20_000,
    });
    child.kill("SIGINT");
    child.kill("SIGINT");
    const { code, lines, errors } = await ended;
    assert.equal(code, 130);
    assert.match(errors, /^Stopped\./);
    const imported = Number(
      /^imported (\d+), updated 0, unchanged 0, repeated 0, refused 0$/.exec(
        lines.at(-1) ?? "",
      )?.[1],
    );
    assert.equal(imported, (await engine.database.query({ text: written })).length);
  });
});
