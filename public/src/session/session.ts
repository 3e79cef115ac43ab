import { Problem, problemOf } from "../api/problem.ts";
import type { Session, User } from "../api/types.ts";
import { readItem, writeItem } from "./local-storage.ts";
import { createStore } from "./store.ts";

/** What this page knows of the visitor's sign-in. */
export type SessionState =
  /** A refresh cookie may exist, and the first answer is not there yet. */
  | { state: "restoring" }
  /** The refresh failed or takes long. Retries continue in the background. */
  | { state: "delayed" }
  /** `why`: the session of this visit has ended. Without it there was none. */
  | { state: "signed-out"; why?: EndedBy }
  | { state: "signed-in"; user: User };

/** The visitor signed out here or deleted the account, or the server has ended the session. */
export type EndedBy = "visitor" | "server" | "erasure";

type AccessToken = { value: string; validUntilMs: number };
type IssuedSession = { session: Session; issuedAtMs: number };
/** What tabs send each other. Each tab answers `wanted` with its session or `none`. */
type TabMessage =
  | ({ type: "session" } & IssuedSession)
  | { type: "signed-out"; why?: EndedBy }
  | { type: "wanted" }
  | { type: "none" };

/** Set while a refresh cookie may exist: scripts cannot see the cookie itself. */
const SIGNED_IN_FLAG = "boxoffice.signed-in";
const REFRESH_LOCK = "boxoffice.session";
/** Shared lock of each tab that has had a token. Without a holder, no tab can answer `wanted`. */
const HOLDERS_LOCK = "boxoffice.session.holders";
const TAB_ANSWER_TIMEOUT_MS = 400;
/** Renews a token this long before it expires, so that it outlives the request in flight. */
const EXPIRY_MARGIN_MS = 30_000;
const REFRESH_TIMEOUT_MS = 8_000;

/** The access token stays in memory: never in storage or in a cookie. */
let token: AccessToken | undefined;
let issued: IssuedSession | undefined;
let holdsLock = false;
/** Counts sign-outs, so that a refresh in flight does not undo one. */
let signOuts = 0;
const tabs = new BroadcastChannel("boxoffice.session");

export const sessionState = createStore<SessionState>(
  readItem(SIGNED_IN_FLAG) === undefined ? { state: "signed-out" } : { state: "restoring" },
);

tabs.onmessage = ({ data }: MessageEvent<TabMessage>) => {
  if (data.type === "signed-out") forget(data.why ?? "visitor");
  else if (data.type === "session") adopt(data);
  else if (data.type === "wanted")
    send(issued && isValid(token) ? { type: "session", ...issued } : { type: "none" });
};

function send(message: TabMessage): void {
  tabs.postMessage(message);
}

function adopt({ session, issuedAtMs }: IssuedSession): void {
  const validUntilMs = issuedAtMs + session.expiresIn * 1_000 - EXPIRY_MARGIN_MS;
  token = { value: session.accessToken, validUntilMs };
  issued = { session, issuedAtMs };
  writeItem(SIGNED_IN_FLAG, "yes");
  if (!holdsLock)
    void navigator.locks.request(
      HOLDERS_LOCK,
      { mode: "shared" },
      () => new Promise(() => undefined),
    );
  holdsLock = true;
  const current = sessionState.get();
  const { id, role } = session.user;
  if (current.state !== "signed-in" || current.user.id !== id || current.user.role !== role)
    sessionState.set({ state: "signed-in", user: session.user });
}

function forget(why: EndedBy): void {
  token = undefined;
  issued = undefined;
  signOuts += 1;
  writeItem(SIGNED_IN_FLAG, undefined);
  sessionState.set({ state: "signed-out", why });
}

/** Starts a session in this tab and in all others. */
export function startSession(session: Session): void {
  const started = { session, issuedAtMs: Date.now() };
  adopt(started);
  send({ type: "session", ...started });
}

/** Ends the session in this tab and in all others: after a sign-out or a rejected cookie. */
export function endSession(why: EndedBy): void {
  forget(why);
  send({ type: "signed-out", why });
}

/** Drops why the session has ended: the visitor was told. */
export function dismissEnd(): void {
  const { state } = sessionState.get();
  if (state === "signed-out") sessionState.set({ state });
}

/** Drops a token that the gateway rejected. The next request gets a new one. */
export function dropAccessToken(): void {
  token = undefined;
}

/** Returns a valid token, refreshed if needed. Throws UNAUTHENTICATED if signed out. */
export async function accessToken(): Promise<string> {
  if (isValid(token)) return token.value;
  if (readItem(SIGNED_IN_FLAG) === undefined) throw new Problem("UNAUTHENTICATED");
  // Single-flight across tabs: one tab refreshes, and the waiting tabs receive its session.
  return navigator.locks.request(REFRESH_LOCK, async () => {
    if (!isValid(token)) await askOtherTabs();
    return isValid(token) ? token.value : refresh();
  });
}

function isValid(one: AccessToken | undefined): one is AccessToken {
  return one !== undefined && one.validUntilMs > Date.now();
}

/** Resolves with the first answer, after `onmessage` has processed it. */
async function askOtherTabs(): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  if (holdsLock || !held.some(({ name }) => name === HOLDERS_LOCK)) return;
  const answered = new Promise((resolve) =>
    tabs.addEventListener("message", resolve, { once: true }),
  );
  send({ type: "wanted" });
  const timedOut = new Promise((resolve) => setTimeout(resolve, TAB_ANSWER_TIMEOUT_MS));
  await Promise.race([answered, timedOut]);
}

async function refresh(): Promise<string> {
  const signal = AbortSignal.timeout(REFRESH_TIMEOUT_MS);
  const signOutsBefore = signOuts;
  const response = await fetch("/api/auth/refresh", { method: "POST", signal }).catch(() => {
    throw new Problem("UNREACHABLE");
  });
  const body = (await response.json().catch(() => undefined)) as unknown;
  if (!response.ok) {
    const problem = problemOf(response, body);
    if (problem.code !== "REFRESH_TOKEN_INVALID") throw problem;
    endSession("server");
    throw new Problem("UNAUTHENTICATED");
  }
  if (body === undefined) throw new Problem("UNREACHABLE");
  if (signOuts !== signOutsBefore) throw new Problem("UNAUTHENTICATED");
  startSession(body as Session);
  return (body as Session).accessToken;
}
