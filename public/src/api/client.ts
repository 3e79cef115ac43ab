import createClient, { type Middleware } from "openapi-fetch";
import { type Early, PATIENCE_MS, asksTheSame } from "../prefetch.ts";
import { accessToken, dropAccessToken } from "../session/session.ts";
import { Problem, problemOf } from "./problem.ts";
import type { paths } from "./schema.d.ts";

/** What the served OpenAPI document says, as types: a path, a parameter or a field that is not there does not compile. */
export const api = createClient<paths>({ baseUrl: "/", fetch: fetchInTime });

let early: Early | undefined;

/** An answer that `main.ts` has asked for already: the first question for it takes it, whatever else is asked before; soon it would be an old one. */
export function answerEarly(one: Early): void {
  early = one;
  setTimeout(() => (early = undefined), PATIENCE_MS);
}

async function fetchInTime(request: Request): Promise<Response> {
  try {
    const first = early;
    if (
      first !== undefined &&
      request.method === "GET" &&
      asksTheSame(first.path, request.url, location.origin)
    ) {
      early = undefined;
      return await first.answer;
    }
    return await fetch(request, {
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Problem("UNREACHABLE");
  }
}

/** Everything under /api/auth/ but these works without a token, by cookie or password. */
const ANONYMOUS =
  /^\/api\/(?:events(?:\/[^/]+)?|events\/filters|auth\/(?:login|register|refresh|logout))$/;

const withToken: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (ANONYMOUS.test(schemaPath)) return;
    request.headers.set("Authorization", `Bearer ${await accessToken()}`);
  },
};
api.use(withToken);

type Answered<T> = { data?: T; error?: unknown; response: Response };

/**
 * The value of a success; throws a Problem for everything else. A token that the gateway no longer takes is replaced and the question asked once more:
 * `ask` must be safe to repeat, which every read is, and a purchase by its key.
 */
export async function answerOf<T>(ask: () => Promise<Answered<T>>, again = true): Promise<T> {
  const { data, error, response } = await ask();
  if (response.ok) return data as T;
  const problem = problemOf(response, error);
  if (again && (problem.code === "TOKEN_EXPIRED" || problem.code === "UNAUTHENTICATED")) {
    dropAccessToken();
    return answerOf(ask, false);
  }
  throw problem;
}
