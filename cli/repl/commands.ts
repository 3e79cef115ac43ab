import { setTimeout as wait } from "node:timers/promises";
import { type OperatorSession, Refused } from "./operator-session.ts";
import { type Part, progressOf, reconcileAll } from "../../tools/engine/reconcile.ts";
import { importFile } from "./import-file.ts";

export type Command = {
  words: string;
  help: string;
  run(session: OperatorSession, args: readonly string[]): Promise<void>;
};
type WorkerStatus = {
  eventId: string;
  epoch: number | null;
  available: number | null;
  mailbox: number;
  largestBatch: number;
  sales: number;
  degraded: boolean;
};
type EventView = {
  id: string;
  name: string;
  date: string;
  location: string;
  totalCapacity: number;
  available: number;
};
type TicketView = {
  id: string;
  eventName: string;
  eventDate: string;
  location: string;
  status: string;
  cancelledAt: string | null;
};
type User = { id: string; email: string; name: string; role: string; sessions: number };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LIVE_S = 10;

/** The commands of operators, by their first word. None has the name of one of Moleculer's. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  (
    [
      {
        words: "search [TEXT]",
        help: "upcoming events, the first twenty, with what is left",
        run: search,
      },
      {
        words: "event ID",
        help: "one event, its worker, and whether its tables agree",
        run: event,
      },
      {
        words: "workers",
        help: "the events that sell, on which node, with epoch, mailbox and sales",
        run: (session) => workers(session),
      },
      {
        words: "worker ID",
        help: "the worker of one event",
        run: (session, [id]) => workers(session, idOf(id)),
      },
      {
        words: "sales --live [SECONDS]",
        help: `what is sold each second, for ${LIVE_S} seconds; Ctrl-C stops it`,
        run: sales,
      },
      {
        words: "drain NODE",
        help: "a node hands over its events, finishes and ends; asks first",
        run: drain,
      },
      {
        words: "reconcile [ID]",
        help: "what disagrees between tickets, ledger, capacity and copies",
        run: reconcile,
      },
      {
        words: "deadletters [replay]",
        help: "messages put aside; replay moves them back, asks first",
        run: deadLetters,
      },
      {
        words: "ticket CODE",
        help: "what a ticket's QR code admits to, and whether it is ours at all",
        run: ticket,
      },
      {
        words: "user EMAIL",
        help: "who that is, with which role and how many sessions",
        run: user,
      },
      {
        words: "import FILE",
        help: "import a feed into the catalog; asks first",
        run: importEvents,
      },
      {
        words: "flush",
        help: "no page of a search that was read before is fresh; asks first",
        run: flush,
      },
    ] satisfies Command[]
  ).map((command) => [command.words.split(" ")[0] ?? "", command]),
);

export function helpText(): string {
  const width = Math.max(...[...COMMANDS.values()].map(({ words }) => words.length));
  return [
    "Operators' commands (what changes something asks first, unless started with --yes):",
    ...[...COMMANDS.values()].map(({ words, help }) => `  ${words.padEnd(width)}  ${help}`),
  ].join("\n");
}

async function search(session: OperatorSession, words: readonly string[]): Promise<void> {
  const { items } = await session.call<{ items: EventView[] }>("catalog.search", {
    limit: 20,
    ...(words.length > 0 ? { name: words.join(" ") } : {}),
  });
  for (const { id, date, name, location, available } of items)
    session.print(`${id}  ${date}  ${String(available).padStart(6)} left  ${name}, ${location}`);
  if (items.length === 0) session.print("There is none.");
}

async function event(session: OperatorSession, [word]: readonly string[]): Promise<void> {
  const eventId = idOf(word);
  const view = await session.call<EventView>("catalog.get", { eventId });
  session.print(
    `${view.name}, ${view.location}, ${view.date}: ${view.available} of ${view.totalCapacity} left`,
  );
  await workers(session, eventId);
  await reconcile(session, [eventId]);
}

async function statuses(session: OperatorSession): Promise<(WorkerStatus & { node: string })[]> {
  const perNode = await Promise.all(
    session.nodesOf("purchasing").map(async (node) => {
      const { items } = await session.call<{ items: WorkerStatus[] }>(
        "purchasing.workers",
        {},
        node,
      );
      return items.map((item) => ({ ...item, node }));
    }),
  );
  return perNode.flat();
}

async function workers(session: OperatorSession, eventId?: string): Promise<void> {
  const found = (await statuses(session)).filter(
    (worker) => eventId === undefined || worker.eventId === eventId,
  );
  for (const {
    eventId: id,
    node,
    epoch,
    available,
    mailbox,
    largestBatch,
    sales: sold,
    degraded,
  } of found)
    session.print(
      `${id}  on ${node}  epoch ${epoch ?? "none yet"}  ${available ?? "?"} left  mailbox ${mailbox}  largest batch ${largestBatch}  sold ${sold}${degraded ? "  DEGRADED: no lease" : ""}`,
    );
  if (found.length === 0)
    session.print(
      eventId === undefined
        ? "Nothing is being sold."
        : "It has no worker: no purchase was sent to it lately.",
    );
}

async function sales(session: OperatorSession, args: readonly string[]): Promise<void> {
  const seconds = Number(args.find((word) => /^\d+$/.test(word)) ?? LIVE_S);
  let last = new Map((await statuses(session)).map(({ eventId, sales: sold }) => [eventId, sold]));
  const signal = session.interrupted();
  for (let second = 0; second < seconds; second += 1) {
    await wait(1_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const now = await statuses(session);
    const sold = now
      .map((worker) => ({ ...worker, now: worker.sales - (last.get(worker.eventId) ?? 0) }))
      .filter((worker) => worker.now > 0);
    session.print(
      sold.length === 0
        ? "nothing sold"
        : sold
            .map(
              ({ eventId, now: count, available }) =>
                `${eventId}: ${count} sold, ${available} left`,
            )
            .join("; "),
    );
    last = new Map(now.map(({ eventId, sales: count }) => [eventId, count]));
  }
}

async function drain(session: OperatorSession, [node = ""]: readonly string[]): Promise<void> {
  const nodes = session.nodesOf("node");
  if (!nodes.includes(node))
    throw new Refused(
      `There is no node ${node === "" ? "without a name" : node}; there are ${nodes.join(", ")}`,
    );
  if (
    !(await session.confirm(
      `Stop ${node}? Its events move to other nodes; its supervisor may start it again.`,
    ))
  )
    return;
  await session.call("node.drain", {}, node);
  session.print(`${node} finishes what it has and ends.`);
}

async function reconcile(session: OperatorSession, [word]: readonly string[]): Promise<void> {
  const {
    differences,
    more,
    events: compared,
  } = await reconcileAll(
    (params) => session.call<Part>("ledger.reconcile", params),
    word === undefined ? {} : { eventId: idOf(word) },
    (sum, next) => session.print(progressOf(sum, next)),
  );
  for (const { kind, eventId, sentence } of differences)
    session.print(`${kind}  event ${eventId}\n  ${sentence}`);
  if (more > 0) session.print(`and ${more} more`);
  session.print(
    differences.length === 0 ? `${compared} compared: nothing disagrees.` : `${compared} compared.`,
  );
}

async function deadLetters(session: OperatorSession, [word]: readonly string[]): Promise<void> {
  const { waiting, letters } = await session.call<{
    waiting: number;
    letters: { id: string; reason: string; readable: boolean; content: string }[];
  }>("ledger.deadLetters");
  for (const { id, reason, readable, content } of letters)
    session.print(`${id}  ${reason}${readable ? "" : ", cannot be read"}  ${content}`);
  session.print(`${waiting} wait.`);
  if (
    word !== "replay" ||
    waiting === 0 ||
    !(await session.confirm(`Move ${waiting} back into the queue?`))
  )
    return;
  session.print(JSON.stringify(await session.call("ledger.replay")));
}

async function ticket(session: OperatorSession, [code = ""]: readonly string[]): Promise<void> {
  const { id, eventName, eventDate, location, status, cancelledAt } =
    await session.call<TicketView>("purchasing.tickets.check", { code });
  const admits =
    status === "active" ? "admits one" : `DOES NOT ADMIT: cancelled at ${cancelledAt ?? "?"}`;
  session.print(`${admits}  ${eventName}, ${location}, ${eventDate}  ticket ${id}`);
}

async function user(session: OperatorSession, [email = ""]: readonly string[]): Promise<void> {
  const found = await session.call<User | null>("auth.find", { email });
  session.print(
    found === null
      ? `No account has the e-mail address ${email}.`
      : `${found.email}  ${found.name}  ${found.role}  ${found.sessions} sessions  ${found.id}`,
  );
}

async function importEvents(
  session: OperatorSession,
  [file = ""]: readonly string[],
): Promise<void> {
  if (file === "") throw new Refused("import wants a file");
  if (await session.confirm(`Import ${file}? Events that are there already are changed.`))
    await importFile(session, file);
}

async function flush(session: OperatorSession): Promise<void> {
  if (
    !(await session.confirm(
      "Make every page of searches stale? PostgreSQL answers until they are there again.",
    ))
  )
    return;
  await session.call("catalog.flush");
  session.print("Done. Gateways keep what they have for half a second more.");
}

function idOf(word: string | undefined): string {
  if (word === undefined || !UUID.test(word))
    throw new Refused(`${word ?? "Nothing"} is no event's id; search shows them`);
  return word.toLowerCase();
}
