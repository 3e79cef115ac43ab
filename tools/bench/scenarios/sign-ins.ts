import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Environment } from "../../../config/index.ts";
import { openDatabase } from "../../../lib/database/pool.ts";
import { createPasswords } from "../../../services/auth/password-hashing.ts";
import { insertEvents } from "../../../services/catalog/events/event-store.ts";
import { type Ask, type Asked, asker, atRate } from "../harness/arrivals.ts";
import { type Histogram, Times } from "../harness/histogram.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import { startBenchEngine } from "../harness/sale.ts";
import { plantedEvents, searchCases } from "./search/search-cases.ts";

const PEOPLE = 200;
const SEARCHES_PER_SECOND = 100;
const LEAST_MS = 10_000;
const SEARCHERS = 20;
const EVENTS = 5_000;
const PASSWORD = "seventeen violet umbrellas";

/**
 * Memory of the node in MB, and p99 of searches in ms: 100 searches per second while 200 people
 * sign in.
 */
export const SIGN_IN_BOUNDS: readonly Bound[] = [
  { of: /./, figure: "errors", most: 0 },
  { of: /./, figure: "times.p99", most: 500 },
  { of: /./, figure: "peakMb.engine", most: 600 },
  { of: /passwords/, figure: "more.judged", least: 1 },
];

/** The first round is the control, without sign-ins. */
const ROUNDS = [
  {
    round: "no sign-ins",
    people: 0,
    password: PASSWORD,
    address: () => "203.0.113.1",
    judged: 200,
  },
  {
    round: "right passwords, an address each",
    people: PEOPLE,
    password: PASSWORD,
    address: (person: number) => `198.51.100.${person}`,
    judged: 200,
  },
  {
    round: "right passwords, one address",
    people: PEOPLE,
    password: PASSWORD,
    address: () => "203.0.113.1",
    judged: 200,
  },
  {
    round: "wrong passwords, an address each",
    people: PEOPLE,
    password: `${PASSWORD}!`,
    address: (person: number) => `198.51.100.${person}`,
    judged: 401,
  },
  {
    round: "wrong passwords, one address",
    people: PEOPLE,
    password: `${PASSWORD}!`,
    address: () => "203.0.113.2",
    judged: 401,
  },
] as const;

export type SignInsOptions = { servers: Processes; folder: string; report: (line: string) => void };

/**
 * 200 accounts sign in at once while others search at a fixed rate, on one engine with rate limits.
 */
export async function signIns(
  environment: Environment,
  { servers, folder, report }: SignInsOptions,
): Promise<Measurement[]> {
  const emails = await fill(environment.DATABASE_URL ?? "");
  const engine = await startBenchEngine({
    environment: {
      ...environment,
      PORT: "0",
      TRUSTED_PROXIES: "127.0.0.1",
      LOG_LEVEL: "warn",
      AUDIT_FILE: join(folder, "audit.log"),
      NODE_ID: "bench",
    },
  });
  try {
    await warmUp(engine.url);
    const results: Measurement[] = [];
    const processes = { engine: engine.process.pid ?? 0, ...servers, ...LOAD };
    for (const round of ROUNDS) {
      report(`${round.people} people at once: ${round.round}`);
      results.push(await oneRound(processes, engine.url, round, emails));
    }
    return results;
  } finally {
    await engine.stop();
  }
}

async function oneRound(
  processes: Processes,
  url: string,
  round: (typeof ROUNDS)[number],
  emails: readonly string[],
): Promise<Measurement> {
  const people = asker(url, PEOPLE);
  const searchers = asker(url, 64);
  const startMs = performance.now();
  const meter = startMeter(processes);
  let signedIn = false;
  const cases = searchPaths();
  const searching = atRate(
    SEARCHES_PER_SECOND,
    () => signedIn && performance.now() - startMs > LEAST_MS,
    (number, dueMs) => searchers.ask(search(cases, number), dueMs),
  );
  searching.catch(() => undefined); // Awaited below.
  try {
    await wait(1_000);
    const beganMs = performance.now();
    const answers = await Promise.all(
      emails
        .slice(0, round.people)
        .map((email, person) =>
          people.ask(login(email, round.password, round.address(person)), beganMs),
        ),
    );
    signedIn = true;
    const searches = await searching;
    return {
      ...summed(round, answers, searches, (performance.now() - startMs) / 1_000),
      ...meter(searches.length),
    };
  } finally {
    signedIn = true;
    people.close();
    searchers.close();
  }
}

/** Times the searches; the sign-ins are the load. Each 429 and 503 must have a Retry-After. */
export function summed(
  { round, judged }: { round: string; judged: number },
  answers: readonly Asked[],
  searches: readonly Asked[],
  seconds: number,
): Omit<Measurement, "cpuMs" | "peakMb"> {
  const turnedAway = answers.filter(
    ({ status, retryAfter }) => (status === 429 || status === 503) && retryAfter,
  );
  const right = answers.filter(({ status }) => status === judged);
  const others = answers.filter(
    (answer) => !turnedAway.includes(answer) && !right.includes(answer),
  );
  const unserved = searches.filter(({ status }) => status !== 200);
  const signInMs = timesOf(answers);
  const wrong = [
    ...others.map(({ status }) => `a sign-in was answered ${status}`),
    ...unserved.map(({ status }) => `a search was answered ${status}`),
  ];
  return {
    name: round,
    role: "ours",
    operation: "search",
    operations: searches.length,
    seconds,
    perSecond: searches.length / seconds,
    times: timesOf(searches),
    errors: wrong.length,
    ...(wrong.length === 0 ? {} : { note: wrong.slice(0, 5).join(", ") }),
    more: {
      judged: right.length,
      "429 and 503": turnedAway.length,
      "sign-in p50 ms": signInMs.p50,
      "sign-in max ms": signInMs.max,
    },
  };
}

function timesOf(answers: readonly Asked[]): Histogram {
  const times = new Times();
  for (const { ms } of answers) times.add(ms);
  return times.summary();
}

/**
 * One hash for all accounts. Verification costs the same, and 200 hashes would take longer than the
 * run.
 */
async function fill(url: string): Promise<string[]> {
  const hashed = await createPasswords().hash(PASSWORD);
  if (!hashed.ok) throw new Error("The password could not be hashed");
  const database = openDatabase(url, "long");
  try {
    const emails = Array.from({ length: PEOPLE }, () => `${randomUUID()}@example.com`);
    await database.query({
      text: `
        INSERT INTO user_account (id, email, email_key, name, password_hash)
        SELECT gen_random_uuid(), email, email, 'Ada', $2 FROM unnest($1::text[]) AS email`,
      values: [emails, hashed.value],
    });
    const events = [...plantedEvents(EVENTS, Date.now())];
    for (let start = 0; start < EVENTS; start += 500)
      await insertEvents(database, events.slice(start, start + 500));
    return emails;
  } finally {
    await database.close();
  }
}

/** Compiles code and opens connections. */
async function warmUp(url: string): Promise<void> {
  const client = asker(url, 8);
  const cases = searchPaths();
  for (let number = 0; number < 2 * cases.length; number += 1)
    await client.ask(search(cases, number));
  for (let number = 0; number < 4; number += 1)
    await client.ask(login("unknown@example.com", PASSWORD, "192.0.2.1"));
  client.close();
}

function searchPaths(): string[] {
  return Object.values(searchCases(Date.now())).map((params) => {
    const query = Object.entries(params).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    return `/api/events?${new URLSearchParams(query).toString()}`;
  });
}

/** From addresses that stay below their own limit. */
function search(paths: readonly string[], number: number): Ask {
  return {
    method: "GET",
    path: paths[number % paths.length] ?? "",
    address: `192.0.2.${2 + (number % SEARCHERS)}`,
  };
}

function login(email: string, password: string, address: string): Ask {
  return {
    method: "POST",
    path: "/api/auth/login",
    address,
    json: { email, password, delivery: "body" },
  };
}
