import type { BrowserContext, Request } from "playwright-core";
import { contractFaults } from "./served-contract.ts";

export type AnswersSeen = { faults: string[]; count: number };

/**
 * Holds every answer of the API that a window gets to the OpenAPI document that the gateway serves. Of a stream there are headers only; what a page has
 * left before its body was read is not counted. Answers what was found until now.
 */
export function watchAnswers(context: BrowserContext, baseURL: string): () => Promise<AnswersSeen> {
  const looks: Promise<string[] | undefined>[] = [];
  const isOurs = (url: string): boolean => url.startsWith(`${baseURL}/api/`);
  context.on("requestfinished", (request) => {
    if (isOurs(request.url())) looks.push(look(request, baseURL).catch(() => undefined));
  });
  context.on("response", (response) => {
    const stream = response.headers()["content-type"]?.startsWith("text/event-stream") === true;
    if (stream && isOurs(response.url()))
      looks.push(look(response.request(), baseURL, true).catch(() => undefined));
  });
  return async () => {
    const seen = (await Promise.all(looks)).filter((faults) => faults !== undefined);
    return { faults: seen.flat(), count: seen.length };
  };
}

async function look(request: Request, baseURL: string, stream = false): Promise<string[]> {
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
