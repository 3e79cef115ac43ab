import { Agent, request } from "node:http";

export type Ask = { method: "GET" | "POST"; path: string; address: string; json?: object };
/** `ms` from when it was due, not from when it was sent: what waits for its turn is late too. `retryAfter`: whether the answer says when to come back. */
export type Asked = { status: number; ms: number; retryAfter: boolean };

/** Asks a gateway in plain HTTP, as a trusted proxy that names each client's address. A request without an answer rejects. */
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
 * Sends one after the other at a fixed rate, whether or not the earlier ones have been answered, until `enough`; then waits for all answers.
 * The nth is due at its own moment however late the timer comes, so a stall counts for all who would have come in it.
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
        answer.catch(() => undefined); // Judged where all are awaited.
        sent.push(answer);
      }
      if (!enough()) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
  return Promise.all(sent);
}
