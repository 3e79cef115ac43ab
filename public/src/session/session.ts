import { Problem, problemOf } from "../api/problem.ts";
import type { Session, User } from "../api/types.ts";
import { remember, remembered } from "./local-storage.ts";
import { createStore } from "./store.ts";

/** `unknown` until the cookie has been tried; nobody waits for it who has never signed in here. */
export type Who =
  { state: "unknown" } | { state: "signed-out" } | { state: "signed-in"; user: User };
type Token = { value: string; goodUntilMs: number };
/** What tabs tell each other; whoever asks hears at once from each that has a session, or has none that is good. */
type Told = { session: Session; atMs: number } | "signed-out" | "who has one?" | "not me";

/** Says that a refresh cookie may be there, which no script can see; without it a stranger's first page would ask for a session in vain. */
const HINT = "boxoffice.signed-in";
const LOCK = "boxoffice.session";
/** Held by every tab that has had a token, for as long as it lives: where nobody holds it, nobody need be asked. */
const HOLDERS = "boxoffice.session.holders";
const ANSWER_WITHIN_MS = 400;
/** A token is renewed while it is still good for the request under way. */
const SPARE_MS = 30_000;
const REFRESH_WITHIN_MS = 8_000;

/** The access token lives here and nowhere else: no storage, no cookie. */
let token: Token | undefined;
let told: { session: Session; atMs: number } | undefined;
let holding = false;
const tabs = new BroadcastChannel("boxoffice.session");

export const who = createStore<Who>(
  remembered(HINT) === undefined ? { state: "signed-out" } : { state: "unknown" },
);

tabs.onmessage = ({ data }: MessageEvent<Told>) => {
  if (data === "signed-out") forget();
  else if (data === "who has one?")
    tabs.postMessage(isGood(token) && told ? told : ("not me" satisfies Told));
  else if (data !== "not me") take(data.session, data.atMs);
};

function take(session: Session, atMs: number): void {
  token = { value: session.accessToken, goodUntilMs: atMs + session.expiresIn * 1_000 - SPARE_MS };
  told = { session, atMs };
  remember(HINT, "yes");
  if (!holding)
    void navigator.locks.request(HOLDERS, { mode: "shared" }, () => new Promise(() => undefined));
  holding = true;
  const { state, user } = { user: undefined, ...who.get() };
  if (state !== "signed-in" || user?.id !== session.user.id || user.role !== session.user.role)
    who.set({ state: "signed-in", user: session.user });
}

function forget(): void {
  token = undefined;
  told = undefined;
  remember(HINT, undefined);
  who.set({ state: "signed-out" });
}

/** After signing in here: this tab and all others have the session. */
export function begin(session: Session): void {
  const atMs = Date.now();
  take(session, atMs);
  tabs.postMessage({ session, atMs } satisfies Told);
}

/** After signing out here, or when the cookie turned out to be worth nothing. */
export function end(): void {
  forget();
  tabs.postMessage("signed-out" satisfies Told);
}

/** The gateway did not take it: the next question gets a new one. */
export function dropAccessToken(): void {
  token = undefined;
}

/** A token that is good for now, renewed by the cookie if need be. Throws a Problem: UNAUTHENTICATED where nobody is signed in. */
export async function accessToken(): Promise<string> {
  if (isGood(token)) return token.value;
  if (remembered(HINT) === undefined) throw new Problem("UNAUTHENTICATED");
  // One tab asks; the others, waiting for the lock, have heard the answer by then.
  return navigator.locks.request(LOCK, async () => {
    if (!isGood(token)) await askOtherTabs();
    return isGood(token) ? token.value : refresh();
  });
}

function isGood(one: Token | undefined): one is Token {
  return one !== undefined && one.goodUntilMs > Date.now();
}

/** Resolves with the first answer, which `onmessage` has heard before. */
async function askOtherTabs(): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  if (holding || !held.some(({ name }) => name === HOLDERS)) return;
  const answered = new Promise((resolve) =>
    tabs.addEventListener("message", resolve, { once: true }),
  );
  tabs.postMessage("who has one?" satisfies Told);
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS))]);
}

async function refresh(): Promise<string> {
  const response = await fetch("/api/auth/refresh", {
    method: "POST",
    signal: AbortSignal.timeout(REFRESH_WITHIN_MS),
  }).catch(() => {
    throw new Problem("UNREACHABLE");
  });
  const body = (await response.json().catch(() => undefined)) as unknown;
  if (!response.ok) {
    const problem = problemOf(response, body);
    if (problem.code !== "REFRESH_TOKEN_INVALID") throw problem;
    end();
    throw new Problem("UNAUTHENTICATED");
  }
  begin(body as Session);
  return (body as Session).accessToken;
}

/** At the start, where somebody has signed in here before. Says nothing of failures: pages that need a session ask again. */
export async function resume(): Promise<void> {
  if (who.get().state === "unknown") await accessToken().catch(() => undefined);
}
