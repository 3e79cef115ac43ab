import type { BrowserContext, Request } from "playwright-core";
import { contractFaults } from "./served-contract.ts";

export type CheckedAnswers = { faults: string[]; count: number };

/**
 * Checks each API answer that a window receives against the served OpenAPI document. Of a stream
 * it checks the headers. It skips answers whose page was left before the body was read.
 */
export function checkAnswers(
  context: BrowserContext,
  baseURL: string,
): () => Promise<CheckedAnswers> {
  const checks: Promise<string[] | undefined>[] = [];
  const isApi = (url: string): boolean => url.startsWith(`${baseURL}/api/`);
  context.on("requestfinished", (request) => {
    if (isApi(request.url())) checks.push(check(request, baseURL).catch(() => undefined));
  });
  context.on("response", (response) => {
    const stream = response.headers()["content-type"]?.startsWith("text/event-stream") === true;
    if (stream && isApi(response.url()))
      checks.push(check(response.request(), baseURL, true).catch(() => undefined));
  });
  return async () => {
    const checked = (await Promise.all(checks)).filter((faults) => faults !== undefined);
    return { faults: checked.flat(), count: checked.length };
  };
}

async function check(request: Request, baseURL: string, stream = false): Promise<string[]> {
  const [method, target] = [request.method(), request.url().slice(baseURL.length)];
  const response = await request.response();
  if (response === null) return [];
  const body = stream ? undefined : (await response.body()).toString();
  const sent = request.postData() ?? undefined;
  const answer = { status: response.status(), headers: response.headers(), body };
  return contractFaults({ method, target, sent, ...answer }).map(
    (fault) => `${method} ${target}: ${fault}`,
  );
}
