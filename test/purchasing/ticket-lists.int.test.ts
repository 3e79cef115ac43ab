// Tests ticket lists: each customer gets their own, as PostgreSQL has it at that moment.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Connection } from "../../lib/database/pool.ts";
import {
  type ListQuestion,
  readCursor,
  type TicketPage,
} from "../../services/purchasing/tickets/ticket-cursor.ts";
import { createTicketLists } from "../../services/purchasing/tickets/ticket-list.ts";
import { openSaleWorld, type SaleWorld } from "../support/fixtures/sale-fixture.ts";

const PEOPLE = 60;
const EVENTS = 5;

type Row = { id: string; userId: string; eventDate: string; cancelled: boolean };

describe("ticket lists", () => {
  let world: SaleWorld;
  let people: string[];
  let rows: Row[];
  let statements = 0;
  let request: (question: Partial<ListQuestion> & { userId: string }) => Promise<TicketPage>;

  before(async () => {
    world = await openSaleWorld();
    people = Array.from({ length: PEOPLE }, () => randomUUID());
    const events = await Promise.all(Array.from({ length: EVENTS }, () => world.addEvent(1_000)));
    // The first customer has no ticket, the second one, and so on. Every third is cancelled.
    const tickets = people.flatMap((userId, index) =>
      Array.from({ length: index % 8 }, (_, number) => {
        return {
          id: randomUUID(),
          userId,
          eventId: events[number % EVENTS] ?? "",
          day: (number * 7) % EVENTS,
          cancelled: number % 3 === 2,
        };
      }),
    );
    rows = await world.database.query<Row>({
      text: `
        INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at, cancelled_at)
        SELECT id, "eventId", "userId", '2099-01-01'::date + day, sha512(uuid_send(id)), 1, now(),
          CASE WHEN cancelled THEN now() END
        FROM json_to_recordset($1) AS ticket
          (id uuid, "userId" uuid, "eventId" uuid, day integer, cancelled boolean)
        RETURNING id, user_id AS "userId", to_char(event_date, 'YYYY-MM-DD') AS "eventDate",
          cancelled_at IS NOT NULL AS cancelled`,
      values: [JSON.stringify(tickets)],
    });
    const counted: Connection = {
      query(statement) {
        statements += 1;
        return world.database.query(statement);
      },
    };
    const lists = createTicketLists(counted);
    request = (question) => lists({ status: undefined, limit: 20, after: undefined, ...question });
  });
  after(() => world.close());

  const position = ({ eventDate, id }: Row): string => `${eventDate} ${id}`;
  const expected = ({ userId, status, limit = 20, after }: Partial<ListQuestion>): string[] => {
    const own = rows
      .filter(
        (row) =>
          row.userId === userId &&
          (status === undefined || row.cancelled === (status === "cancelled")),
      )
      .sort((one, other) => (position(one) < position(other) ? -1 : 1));
    const left =
      after === undefined
        ? own
        : own.filter((row) => position(row) > `${after.eventDate} ${after.id}`);
    return left.slice(0, limit).map(({ id }) => id);
  };
  const idsOf = ({ items }: TicketPage): string[] => items.map(({ id }) => id);

  it("are each customer's own in parallel, with one statement per page length", async () => {
    const questions = people.flatMap((userId): (Partial<ListQuestion> & { userId: string })[] => {
      const middle = rows.filter((row) => row.userId === userId).at(1);
      return [
        { userId },
        { userId, status: "active" },
        { userId, status: "cancelled" },
        { userId, limit: 3 },
        {
          userId: userId,
          ...(middle !== undefined && { after: { eventDate: middle.eventDate, id: middle.id } }),
        },
      ];
    });
    statements = 0;
    const pages = await Promise.all(questions.map(request));
    assert.deepEqual(pages.map(idsOf), questions.map(expected));
    // 4 × 60 lists of 20, one hundred lists in a statement, and 60 lists of 3.
    assert.equal(statements, 4);
    statements = 0;
    for (const userId of people.slice(0, 5))
      assert.deepEqual(idsOf(await request({ userId })), expected({ userId }));
    assert.equal(statements, 5, "answer a single request without a wait");
  });

  it("continue where a page ended, without gap or repeat", async () => {
    const all = await Promise.all(
      people.map(async (userId) => {
        const seen: string[] = [];
        for (let after: ListQuestion["after"]; ;) {
          const page = await request({ userId, limit: 2, after });
          seen.push(...idsOf(page));
          if (page.nextCursor === null) return seen;
          after = readCursor(page.nextCursor) ?? assert.fail("a valid cursor");
        }
      }),
    );
    assert.deepEqual(
      all,
      people.map((userId) => expected({ userId })),
    );
  });

  it("show what was committed before the request, even if an older one is running", async () => {
    const [userId, other] = [people[7] ?? "", people[6] ?? ""];
    const [first] = expected({ userId, status: "active" });
    const older = [request({ userId }), request({ userId: other })];
    await world.database.query({
      text: "UPDATE event_tickets SET cancelled_at = now() WHERE id = $1",
      values: [first],
    });
    const page = await request({ userId });
    assert.equal(page.items.find(({ id }) => id === first)?.status, "cancelled");
    await Promise.all(older);
    await world.database.query({
      text: "UPDATE event_tickets SET cancelled_at = NULL WHERE id = $1",
      values: [first],
    });
  });

  it("do not fail because of another request's invalid cursor", async () => {
    const id = randomUUID();
    const encoded = (text: string): string => Buffer.from(text).toString("base64url");
    const refused = ["2099-02-30", "2099-13-01", "0000-01-01", "9999-99-99"].map((date) =>
      encoded(`${date} ${id}`),
    );
    refused.push(
      encoded(`2099-01-01 ${"-".repeat(36)}`),
      encoded(`2099-01-01 ${id.toUpperCase()}`),
      encoded(`2099-01-01 ${id} `),
      "",
    );
    assert.deepEqual(
      refused.map(readCursor),
      refused.map(() => undefined),
    );
    const accepted = ["0001-01-01", "2096-02-29", "9999-12-31"].map((eventDate) => ({
      eventDate,
      id,
    }));
    assert.deepEqual(
      accepted.map(({ eventDate }) => readCursor(encoded(`${eventDate} ${id}`))),
      accepted,
    );
    const userId = people[3] ?? "";
    const [page] = await Promise.all([
      request({ userId }),
      ...accepted.map((after) => request({ userId: people[5] ?? "", after })),
    ]);
    assert.deepEqual(idsOf(page), expected({ userId }));
  });

  it("fail for all requests while PostgreSQL is down, and recover afterwards", async () => {
    let away = true;
    const lists = createTicketLists({
      query: (statement) =>
        away ? Promise.reject(new Error("Connection terminated")) : world.database.query(statement),
    });
    const together = () =>
      people.map((userId) => lists({ userId, status: undefined, limit: 20, after: undefined }));
    const failed = await Promise.allSettled(together());
    assert.deepEqual([...new Set(failed.map(({ status }) => status))], ["rejected"]);
    away = false;
    assert.deepEqual(
      (await Promise.all(together())).map(idsOf),
      people.map((userId) => expected({ userId })),
    );
  });
});
