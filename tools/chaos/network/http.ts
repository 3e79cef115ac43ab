import { Agent, type IncomingMessage, request as httpRequest } from "node:http";

export type Ask = {
  method: string;
  path: string;
  token?: string;
  json?: unknown;
  headers?: Record<string, string>;
};

/**
 * `not-sent`: the connection was refused, so the gateway did not see the request. `no-answer`: it
 * may have seen it.
 */
export type Reply =
  | {
      type: "answered";
      status: number;
      json: Record<string, unknown> | undefined;
    }
  | { type: "not-sent" }
  | { type: "no-answer"; why: string };

/** Exceeds the gateway's own time-out. */
const ANSWER_MS = 8_000;

export type Sender = { send(baseUrl: string, ask: Ask): Promise<Reply>; close(): void };

/**
 * Sends HTTP like a load balancer: keeps connections, repeats nothing, and reports failures
 * exactly.
 */
export function openSender(): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 64 });
  return {
    send: (baseUrl, { method, path, token, json, headers = {} }) =>
      new Promise((resolve) => {
        const body = json === undefined ? undefined : JSON.stringify(json);
        const request = httpRequest(baseUrl + path, {
          agent,
          method,
          timeout: ANSWER_MS,
          headers: {
            ...(token !== undefined && { Authorization: `Bearer ${token}` }),
            ...(body !== undefined && {
              "Content-Type": "application/json",
              "Content-Length": Buffer.byteLength(body),
            }),
            ...headers,
          },
        });
        request.on("response", (response) => readAnswer(response, resolve));
        request.on("timeout", () =>
          request.destroy(Object.assign(new Error("no answer in time"), { code: "TIMEOUT" })),
        );
        request.on("error", (error: NodeJS.ErrnoException) =>
          resolve(
            error.code === "ECONNREFUSED"
              ? { type: "not-sent" }
              : { type: "no-answer", why: error.code ?? error.message },
          ),
        );
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function readAnswer(response: IncomingMessage, resolve: (reply: Reply) => void): void {
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (piece: string) => (text += piece));
  response.on("error", (error: NodeJS.ErrnoException) =>
    resolve({ type: "no-answer", why: error.code ?? error.message }),
  );
  response.on("end", () =>
    resolve({
      type: "answered",
      status: response.statusCode ?? 0,
      json: readJson(text),
    }),
  );
}

function readJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
