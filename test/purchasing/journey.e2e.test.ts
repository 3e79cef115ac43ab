// Walks the whole way: a feed's import, search, purchase, booking, list, cancellation.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ownKey } from "../../domain/event-record.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type HttpClient, httpClient } from "../support/http/http.ts";
import { numbersWhenQuiet, patientClient } from "../support/fixtures/sales.ts";
import { waitFor } from "../support/wait-for.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";

/** A slice of a public list; its license is beside it. */
const LIST = fileURLToPath(new URL("../data/conferences.json", import.meta.url));
const DAY_MS = 86_400_000;

type Event = {
  id: string;
  name: string;
  type: string;
  location: string;
  date: string;
  available: number;
  totalCapacity: number;
};
type Ticket = { id: string; eventId: string; eventName: string; status: string };

describe("from a feed to a ticket and back", () => {
  let engine: Engine;
  let request: HttpClient;
  before(async () => {
    engine = await startEngine();
    // Many new events may slow the first search.
    request = patientClient(httpClient(engine.url));
  });
  after(() => engine.close());

  /** Returns the command's last line. */
  async function importFeed(file: string, feed = ""): Promise<string> {
    const { code, out, error } = await runBoxoffice(engine.environment, ["import", file], feed);
    assert.equal(code, 0, error);
    return out.trimEnd().split("\n").at(-1) ?? "";
  }
  async function search(filters: Record<string, string>): Promise<Event[]> {
    const answer = await request("GET", `/api/events?${new URLSearchParams(filters).toString()}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json?.items as Event[];
  }

  it("imports the conference list, finds its events, and changes nothing the second time", async () => {
    const records = JSON.parse(readFileSync(LIST, "utf8")) as (Record<
      "name" | "startDate" | "topic",
      string
    > & { city?: string })[];
    const counts = /^imported (\d+), updated 0, unchanged 0, repeated (\d+), refused (\d+)$/.exec(
      await importFeed(LIST),
    );
    const [imported = 0, repeated = 0, refused = 0] =
      counts?.slice(1).map(Number) ?? assert.fail("no summary");
    const keys = new Set(
      records.map((record) =>
        ownKey({ name: record.name, date: record.startDate, location: record.city ?? "Online" }),
      ),
    );
    assert.deepEqual([imported + refused, repeated], [keys.size, records.length - keys.size]);
    assert.ok(refused < 10, `${refused} refused`);
    assert.equal(
      await importFeed(LIST),
      `imported 0, updated 0, unchanged ${imported}, repeated ${repeated}, refused ${refused}`,
    );

    const { name, startDate, city, topic } =
      records.find((record) => record.name === "Big Ruby") ?? assert.fail("not in the list");
    const all = {
      location: city?.toUpperCase() ?? "",
      name: name.slice(1, 6).toLowerCase(),
      type: topic,
      date: startDate,
    };
    const found = await search(all);
    assert.deepEqual(
      found.map((event) => [event.name, event.location, event.type, event.date]),
      [[name, city, topic, startDate]],
    );
    for (const filter of ["location", "name", "type", "date"] as const) {
      // The default lists upcoming events only, so every filter but the day needs a start date.
      const alone = await search({
        [filter]: all[filter],
        ...(filter === "date" ? {} : { from: startDate }),
        limit: "100",
      });
      assert.ok(
        alone.some(({ id }) => id === found[0]?.id),
        `found by ${filter}`,
      );
      assert.deepEqual(
        await search({ ...all, [filter]: filter === "date" ? "2014-01-01" : "nowhere" }),
        [],
        `another ${filter}`,
      );
    }
  });

  it("sells, books, lists and cancels a ticket of an imported event once", async () => {
    const inDays = (days: number): string =>
      new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
    const feed = [
      {
        name: "Box Office Days",
        startDate: inDays(40),
        endDate: inDays(41),
        city: "Zürich",
        country: "Switzerland",
        topic: "ticketing",
      },
      {
        name: "Queue Summit",
        startDate: inDays(60),
        city: "Zürich",
        country: "Switzerland",
        topic: "queues",
      },
    ];
    const summary = await importFeed("-", JSON.stringify(feed));
    assert.equal(summary, "imported 2, updated 0, unchanged 0, repeated 0, refused 0");
    const upcoming = {
      location: "zurich",
      name: "OFFICE",
      type: "ticketing",
      from: inDays(39),
      to: inDays(40),
    };
    const [event, ...others] = await search(upcoming);
    assert.ok(event);
    assert.deepEqual(
      [event.name, event.available, event.totalCapacity, others],
      ["Box Office Days", 500, 500, []],
    );

    const account = { email: "ada@example.com", password: "correct horse battery staple" };
    assert.equal(
      (await request("POST", "/api/auth/register", { json: { ...account, name: "Ada" } })).status,
      201,
    );
    const token = (await request("POST", "/api/auth/login", { json: account })).json
      ?.accessToken as string;
    const bought = await request("POST", `/api/events/${event.id}/tickets`, {
      token,
      json: { quantity: 2 },
    });
    assert.equal(bought.status, 201, bought.text);
    assert.equal(bought.json?.status, "pending");
    const transaction = `/api/transactions/${bought.json.transactionId as string}`;
    assert.equal((await request("GET", transaction, { token })).json?.quantity, -2);
    const completed = async (): Promise<boolean> =>
      (await request("GET", transaction, { token })).json?.status === "completed";
    await waitFor(completed, { withinMs: 10_000, what: "The ledger booked the purchase" });

    const list = async (status: string): Promise<Ticket[]> =>
      (await request("GET", `/api/tickets?status=${status}`, { token })).json?.items as Ticket[];
    const [kept, cancelled] = bought.json.tickets as [Ticket, Ticket];
    assert.deepEqual(
      (await list("active")).map(({ id }) => id).sort(),
      [kept.id, cancelled.id].sort(),
    );
    const cancel = () => request("DELETE", `/api/tickets/${cancelled.id}`, { token });
    const [first, again] = [await cancel(), await cancel()];
    assert.deepEqual(
      [first.status, first.json?.status, first.json?.eventName],
      [200, "cancelled", "Box Office Days"],
    );
    assert.equal(again.text, first.text);
    const ids = [await list("active"), await list("cancelled")].map((tickets) =>
      tickets.map(({ id }) => id),
    );
    assert.deepEqual(ids, [[kept.id], [cancelled.id]]);

    assert.deepEqual(await numbersWhenQuiet(engine, event.id), {
      total: 500,
      tickets: 1,
      capacity: 499,
      booked: -1,
      pending: 0,
      available: 499,
    });
    const shown = async () => (await request("GET", `/api/events/${event.id}`)).json?.available;
    await waitFor(async () => (await shown()) === 499, {
      withinMs: 3_000,
      what: "The place is available again",
    });
  });
});
