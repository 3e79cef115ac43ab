import createClient, { type Middleware } from "openapi-fetch";
import { type Prefetch, REQUEST_TIMEOUT_MS, isSameRequest } from "../prefetch.ts";
import { accessToken, dropAccessToken } from "../session/session.ts";
import { Problem, problemOf } from "./problem.ts";
import type { paths } from "./schema.d.ts";

/** Typed client of the served OpenAPI document: unknown paths and fields do not compile. */
export const api = createClient<paths>({ baseUrl: "/", fetch: fetchInTime });

let prefetch: Prefetch | undefined;

/** Hands over the request that `main.ts` sent. The first equal request takes its response. */
export function setPrefetch(one: Prefetch): void {
  prefetch = one;
  setTimeout(() => (prefetch = undefined), REQUEST_TIMEOUT_MS);
}

async function fetchInTime(request: Request): Promise<Response> {
  try {
    const sent = prefetch;
    if (
      sent !== undefined &&
      request.method === "GET" &&
      isSameRequest(sent.path, request.url, location.origin)
    ) {
      prefetch = undefined;
      return await sent.response;
    }
    return await fetch(request, {
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Problem("UNREACHABLE");
  }
}

/** Paths that need no access token. The rest of /api/auth/ needs one. */
const ANONYMOUS = new RegExp(
  "^/api/(?:events(?:/[^/]+)?|events/filters|auth/(?:login|register|refresh|logout" +
    "|password-reset(?:/confirm)?|email-confirmation/confirm))$",
);

const withToken: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (ANONYMOUS.test(schemaPath)) return;
    request.headers.set("Authorization", `Bearer ${await accessToken()}`);
  },
};
api.use(withToken);

type ApiResult<T> = { data?: T; error?: unknown; response: Response };

/**
 * Returns the value of a success. Throws a Problem otherwise. If the gateway rejects the token,
 * repeats `send` once with a new one. `send` must be idempotent: a read, or a purchase by its key.
 */
export async function answerOf<T>(send: () => Promise<ApiResult<T>>, repeat = true): Promise<T> {
  const { data, error, response } = await send();
  if (response.ok) return data as T;
  const problem = problemOf(response, error);
  if (repeat && (problem.code === "TOKEN_EXPIRED" || problem.code === "UNAUTHENTICATED")) {
    dropAccessToken();
    return answerOf(send, false);
  }
  throw problem;
}

/** `asOf`: the gateway answered from a copy of that time, because its database is down. */
export type Timed<T> = T & { asOf?: string };

/** As `answerOf`, with the time of the data where the gateway names one. */
export async function timedAnswerOf<T extends object>(
  send: () => Promise<ApiResult<T>>,
): Promise<Timed<T>> {
  let asOf: string | undefined;
  const value = await answerOf(async () => {
    const result = await send();
    asOf = result.response.headers.get("X-Data-As-Of") ?? undefined;
    return result;
  });
  return asOf === undefined ? value : { ...value, asOf };
}
