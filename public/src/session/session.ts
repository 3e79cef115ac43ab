import { Problem, problemOf } from "../api/problem.ts";
import type { Session, User } from "../api/types.ts";
import { remember, remembered } from "./remembered.ts";
import { createStore } from "./store.ts";

/** `unknown` until the cookie has been tried; nobody waits for it who has never signed in here. */
export type Who = { state: "unknown" } | { state: "signed-out" } | { state: "signed-in"; user: User };
type Token = { value: string; goodUntilMs: number };
type Told = { session: Session; atMs: number } | "signed-out";

/** Says that a refresh cookie may be there, which no script can see; without it a stranger's first page would ask for a session in vain. */
const HINT = "boxoffice.signed-in";
const LOCK = "boxoffice.session";
/** A token is renewed while it is still good for the request under way. */
const SPARE_MS = 30_000;
const REFRESH_WITHIN_MS = 8_000;

/** The access token lives here and nowhere else: no storage, no cookie. */
let token: Token | undefined;
const tabs = new BroadcastChannel("boxoffice.session");

export const who = createStore<Who>(remembered(HINT) === undefined ? { state: "signed-out" } : { state: "unknown" });

tabs.onmessage = ({ data }: MessageEvent<Told>) => {
  if (data === "signed-out") forget();
  else take(data.session, data.atMs);
};

function take(session: Session, atMs: number): void {
  token = { value: session.accessToken, goodUntilMs: atMs + session.expiresIn * 1_000 - SPARE_MS };
  remember(HINT, "yes");
  const { state, user } = { user: undefined, ...who.get() };
  if (state !== "signed-in" || user?.id !== session.user.id || user.role !== session.user.role)
    who.set({ state: "signed-in", user: session.user });
}

function forget(): void {
  token = undefined;
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
  return navigator.locks.request(LOCK, async () => (isGood(token) ? token.value : refresh()));
}

function isGood(one: Token | undefined): one is Token {
  return one !== undefined && one.goodUntilMs > Date.now();
}

async function refresh(): Promise<string> {
  const response = await fetch("/api/auth/refresh", { method: "POST", signal: AbortSignal.timeout(REFRESH_WITHIN_MS) }).catch(() => {
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
