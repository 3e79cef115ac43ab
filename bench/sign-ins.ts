import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Environment } from "../config.ts";
import { openDatabase } from "../mixins/database.ts";
import { createPasswords } from "../services/auth/passwords.ts";
import { insertEvents } from "../services/catalog/event-rows.ts";
import { type Ask, type Asked, asker, atRate, percentile } from "./arrivals.ts";
import { cpuMs, peakMemoryMb } from "./process-figures.ts";
import { plantedEvents, searchCases } from "./search-cases.ts";

/** `turnedAway`: 429 and 503, each of which must say when to come back. */
export type SignInsResult = {
  round: string;
  people: number;
  judged: number;
  turnedAway: number;
  wrong: string[];
  allWithinMs: number;
  signInMs: { p50: number; p99: number };
  searches: number;
  searchMs: { p50: number; p99: number; max: number };
  peakMemoryMb: number;
  /** Of all cores, 0 to 1. */
  cpuShare: number;
};

const PEOPLE = 200;
const SEARCHES_PER_SECOND = 100;
const LEAST_MS = 10_000;
const SEARCHERS = 20;
const EVENTS = 5_000;
const PASSWORD = "seventeen violet umbrellas";

/** The bounds: memory of the node in MB, and the 99th percentile of searches in ms, a hundred of them a second while 200 people sign in at once. */
const MEMORY_MAX_MB = 600;
const SEARCH_P99_MAX_MS = 500;

/** The first is the control: what searches take while nobody signs in. */
const ROUNDS = [
  { round: "nobody", people: 0, password: PASSWORD, address: () => "203.0.113.1", judged: 200 },
  {
    round: "right passwords, an address each",
    people: PEOPLE,
    password: PASSWORD,
    address: (person: number) => `198.51.100.${person}`,
    judged: 200,
  },
  { round: "right passwords, one address", people: PEOPLE, password: PASSWORD, address: () => "203.0.113.1", judged: 200 },
  {
    round: "wrong passwords, an address each",
    people: PEOPLE,
    password: `${PASSWORD}!`,
    address: (person: number) => `198.51.100.${person}`,
    judged: 401,
  },
  { round: "wrong passwords, one address", people: PEOPLE, password: `${PASSWORD}!`, address: () => "203.0.113.2", judged: 401 },
] as const;

/** 200 accounts sign in at once while others search at a fixed rate, on one engine with its limits on. */
export async function signIns(environment: Environment, folder: string, report: (line: string) => void): Promise<SignInsResult[]> {
  const emails = await fill(environment.DATABASE_URL ?? "");
  const engine = fork(fileURLToPath(new URL("engine.ts", import.meta.url)), ["worker"], {
    env: {
      ...environment,
      PORT: "0",
      TRUSTED_PROXIES: "127.0.0.1",
      LOG_LEVEL: "warn",
      AUDIT_FILE: join(folder, "audit.log"),
      NODE_ID: "bench",
    },
  });
  try {
    const [{ url }] = (await once(engine, "message")) as [{ url: string }];
    await warmUp(url);
    const results: SignInsResult[] = [];
    for (const round of ROUNDS) {
      report(`${round.people} people at once: ${round.round}`);
      results.push(await oneRound(engine, url, round, emails));
    }
    return results;
  } finally {
    engine.send("stop");
    await once(engine, "exit");
  }
}

/** What is wrong with a result, in words; empty where it is within the bounds. */
export function signInFaults({ round, people, judged, wrong, peakMemoryMb: memoryMb, searchMs }: SignInsResult): string[] {
  return [
    ...wrong,
    ...(judged > 0 || people === 0 ? [] : ["no password was judged"]),
    ...(memoryMb < MEMORY_MAX_MB ? [] : [`the node held ${memoryMb.toFixed(0)} MB, of ${MEMORY_MAX_MB}`]),
    ...(searchMs.p99 < SEARCH_P99_MAX_MS ? [] : [`searches' p99 was ${searchMs.p99.toFixed(0)} ms, of ${SEARCH_P99_MAX_MS}`]),
  ].map((fault) => `${round}: ${fault}`);
}

export function printSignIns(results: readonly SignInsResult[]): void {
  console.table(
    Object.fromEntries(
      results.map(({ round, judged, turnedAway, allWithinMs, signInMs, searches, searchMs, peakMemoryMb: memoryMb, cpuShare }) => [
        round,
        {
          judged,
          "429, 503": turnedAway,
          "p50 ms": Math.round(signInMs.p50),
          "p99 ms": Math.round(signInMs.p99),
          "all in ms": Math.round(allWithinMs),
          searches,
          "search p50": Number(searchMs.p50.toFixed(1)),
          "search p99": Number(searchMs.p99.toFixed(1)),
          "search max": Math.round(searchMs.max),
          "peak MB": Math.round(memoryMb),
          "CPU %": Math.round(100 * cpuShare),
        },
      ]),
    ),
  );
  console.log(`${SEARCHES_PER_SECOND} searches a second, each timed from when it was due; 'CPU %' of all cores is the node's`);
}

async function oneRound(
  engine: ChildProcess,
  url: string,
  round: (typeof ROUNDS)[number],
  emails: readonly string[],
): Promise<SignInsResult> {
  const people = asker(url, PEOPLE);
  const searchers = asker(url, 64);
  const [startMs, cpuBefore] = [performance.now(), cpuMs(engine)];
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
      emails.slice(0, round.people).map((email, person) => people.ask(login(email, round.password, round.address(person)), beganMs)),
    );
    signedIn = true;
    const searches = await searching;
    const cpuShare = (cpuMs(engine) - cpuBefore) / (performance.now() - startMs) / availableParallelism();
    return { ...summed(round, answers, searches), peakMemoryMb: peakMemoryMb(engine), cpuShare };
  } finally {
    signedIn = true;
    people.close();
    searchers.close();
  }
}

function summed(
  { round, people, judged }: (typeof ROUNDS)[number],
  answers: readonly Asked[],
  searches: readonly Asked[],
): Omit<SignInsResult, "peakMemoryMb" | "cpuShare"> {
  const turnedAway = answers.filter(({ status, retryAfter }) => (status === 429 || status === 503) && retryAfter);
  const right = answers.filter(({ status }) => status === judged);
  const others = answers.filter((answer) => !turnedAway.includes(answer) && !right.includes(answer));
  const unserved = searches.filter(({ status }) => status !== 200);
  const [signInMs, searchMs] = [answers, searches].map((list) => list.map(({ ms }) => ms)) as [number[], number[]];
  return {
    round,
    people,
    judged: right.length,
    turnedAway: turnedAway.length,
    wrong: [
      ...others.map(({ status }) => `a sign-in was answered ${status}`),
      ...unserved.map(({ status }) => `a search was answered ${status}`),
    ],
    allWithinMs: Math.max(0, ...signInMs),
    signInMs: { p50: percentile(signInMs, 0.5), p99: percentile(signInMs, 0.99) },
    searches: searches.length,
    searchMs: { p50: percentile(searchMs, 0.5), p99: percentile(searchMs, 0.99), max: Math.max(...searchMs) },
  };
}

/** One hash for all accounts: checking it costs the same, and making 200 would take longer than the run. */
async function fill(url: string): Promise<string[]> {
  const hashed = await createPasswords().hash(PASSWORD);
  if (!hashed.ok) throw new Error("The password could not be hashed");
  const database = openDatabase(url, "long");
  try {
    const emails = Array.from({ length: PEOPLE }, () => `${randomUUID()}@example.com`);
    await database.query({
      text: `INSERT INTO user_account (id, email, email_key, name, password_hash) SELECT gen_random_uuid(), email, email, 'Ada', $2 FROM unnest($1::text[]) AS email`,
      values: [emails, hashed.value],
    });
    const events = [...plantedEvents(EVENTS, Date.now())];
    for (let start = 0; start < EVENTS; start += 500) await insertEvents(database, events.slice(start, start + 500));
    return emails;
  } finally {
    await database.close();
  }
}

/** As somebody who comes to an engine that has been running: code compiled, connections there. */
async function warmUp(url: string): Promise<void> {
  const client = asker(url, 8);
  const cases = searchPaths();
  for (let number = 0; number < 2 * cases.length; number += 1) await client.ask(search(cases, number));
  for (let number = 0; number < 4; number += 1) await client.ask(login("nobody@example.com", PASSWORD, "192.0.2.1"));
  client.close();
}

function searchPaths(): string[] {
  return Object.values(searchCases(Date.now())).map((params) => {
    const query = Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]);
    return `/api/events?${new URLSearchParams(query).toString()}`;
  });
}

/** From addresses that stay below their own limit. */
function search(paths: readonly string[], number: number): Ask {
  return { method: "GET", path: paths[number % paths.length] ?? "", address: `192.0.2.${2 + (number % SEARCHERS)}` };
}

function login(email: string, password: string, address: string): Ask {
  return { method: "POST", path: "/api/auth/login", address, json: { email, password, delivery: "body" } };
}
