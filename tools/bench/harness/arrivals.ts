import { Agent, request } from "node:http";

export type Ask = { method: "GET" | "POST"; path: string; address: string; json?: object };
/**
 * `ms`: from the due time, not from sending, so waiting counts. `retryAfter`: whether the header is
 * present.
 */
export type Asked = { status: number; ms: number; retryAfter: boolean };

/**
 * Sends plain HTTP to a gateway, as a trusted proxy that names each client's address. A request
 * without an answer rejects.
 */
export function asker(
  url: string,
  connections: number,
): { ask(asked: Ask, dueMs?: number): Promise<Asked>; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  return {
    ask: ({ method, path, address, json }, dueMs = performance.now()) =>
      new Promise((resolve, reject) => {
        const body = json === undefined ? undefined : JSON.stringify(json);
        const type =
          body === undefined
            ? {}
            : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
        const headers = { "X-Forwarded-For": address, ...type };
        const asked = request(
          { agent, hostname, port, method, path, headers, timeout: 30_000 },
          (response) => {
            response.resume();
            response.once("error", reject);
            response.once("end", () => {
              const { statusCode = 0, headers: said } = response;
              resolve({
                status: statusCode,
                ms: performance.now() - dueMs,
                retryAfter: said["retry-after"] !== undefined,
              });
            });
          },
        );
        asked.once("timeout", () =>
          asked.destroy(new Error(`${method} ${path} was not answered within 30 s`)),
        );
        asked.once("error", reject);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/**
 * Sends requests at a fixed rate until `enough`, without waiting for earlier answers; then awaits
 * all answers. Each request has its own due time, so a stall counts for every request that was due
 * during it.
 */
export async function atRate<T>(
  perSecond: number,
  enough: () => boolean,
  send: (number: number, dueMs: number) => Promise<T>,
): Promise<T[]> {
  const startMs = performance.now();
  const sent: Promise<T>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (; startMs + (sent.length * 1_000) / perSecond <= performance.now() && !enough();) {
        const answer = send(sent.length, startMs + (sent.length * 1_000) / perSecond);
        answer.catch(() => undefined); // Awaited at the end.
        sent.push(answer);
      }
      if (!enough()) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
  return Promise.all(sent);
}
