import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import {
  type FunctionCounter,
  type FunctionCounts,
  functionsOfRequest,
} from "./function-counts.ts";
import type { MeasuredEngine } from "./measured-engine.ts";

/** What one kind of request runs. `filesMax`: the bound of the number of files. */
export type RequestCoverage = {
  title: string;
  request: string;
  filesMax?: number;
  functions: string[];
};

const SAMPLES = 12;
const WARM_UPS = 40;
const POLL_MS = 5;

/** Customers that `measureRequests` needs: one for each purchase, as a customer's limit is 10. */
export const CUSTOMERS = WARM_UPS + SAMPLES;

type Windows = { samples: FunctionCounts[]; idle: FunctionCounts[] };

/** Measures a purchase, a repeated cached search and a list of tickets on a warm engine. */
export async function measureRequests(
  engine: MeasuredEngine,
  counter: FunctionCounter,
): Promise<RequestCoverage[]> {
  const { url, eventId, tokens } = engine;
  const postgres = new Client({ connectionString: engine.databaseUrl });
  await postgres.connect();

  const send = async (path: string, token?: string, method = "GET"): Promise<void> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(method === "POST" && { "Content-Type": "application/json" }),
      },
      ...(method === "POST" && { body: '{"quantity":2}' }),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}`);
    await nextTurn();
  };
  const buy = (index: number) => send(`/api/events/${eventId}/tickets`, tokens[index], "POST");
  const search = () => send("/api/events?location=Berlin&limit=10");
  const list = () => send("/api/tickets", tokens[0]);
  const untilBooked = async (): Promise<void> => {
    const text = "SELECT 1 FROM event_ticket_transactions LIMIT 1";
    while ((await postgres.query(text)).rows.length > 0) await wait(POLL_MS);
    await wait(POLL_MS);
  };

  for (let index = 0; index < WARM_UPS; index += 1) {
    await buy(index);
    await search();
    await list();
    await untilBooked();
  }

  const answered: Windows = { samples: [], idle: [] };
  const booked: Windows = { samples: [], idle: [] };
  for (let index = WARM_UPS; index < CUSTOMERS; index += 1) {
    await untilBooked();
    counter.take();
    const startMs = performance.now();
    await buy(index);
    const untilAnswer = counter.take();
    const answeredMs = performance.now() - startMs;
    await untilBooked();
    const afterAnswer = counter.take();
    const bookedMs = performance.now() - startMs;
    answered.samples.push(untilAnswer);
    booked.samples.push(sumOf(untilAnswer, afterAnswer));
    answered.idle.push(await idleFor(counter, answeredMs));
    booked.idle.push(await idleFor(counter, bookedMs));
  }
  await postgres.end();

  const repeated = async (ask: () => Promise<void>): Promise<Windows> => {
    const windows: Windows = { samples: [], idle: [] };
    for (let count = 0; count < SAMPLES; count += 1) {
      await ask();
      counter.take();
      const startMs = performance.now();
      await ask();
      windows.samples.push(counter.take());
      windows.idle.push(await idleFor(counter, performance.now() - startMs));
    }
    return windows;
  };
  const searched = await repeated(search);
  const listed = await repeated(list);

  const functionsOf = ({ samples, idle }: Windows) => functionsOfRequest(samples, idle);
  return [
    {
      title: "A purchase, until it is answered",
      request: "POST /api/events/{eventId}/tickets",
      functions: functionsOf(answered),
    },
    {
      title: "A purchase, until the ledger has booked it",
      request: "POST /api/events/{eventId}/tickets",
      filesMax: 45,
      functions: functionsOf(booked),
    },
    {
      title: "A repeated cached search",
      request: "GET /api/events?location=Berlin&limit=10",
      filesMax: 20,
      functions: functionsOf(searched),
    },
    {
      title: "A list of tickets",
      request: "GET /api/tickets",
      filesMax: 22,
      functions: functionsOf(listed),
    },
  ];
}

async function idleFor(counter: FunctionCounter, ms: number): Promise<FunctionCounts> {
  counter.take();
  await wait(ms);
  return counter.take();
}

function sumOf(one: FunctionCounts, other: FunctionCounts): FunctionCounts {
  const sum = new Map(one);
  for (const [name, count] of other) sum.set(name, count + (sum.get(name) ?? 0));
  return sum;
}
