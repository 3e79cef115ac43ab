import assert from "node:assert/strict";
import { connect } from "node:net";
import { contractFaults } from "./served-contract.ts";

export type Answered = {
  status: number;
  headers: Headers;
  /** The body parsed as JSON; undefined if it is not JSON. */
  json: Record<string, unknown> | undefined;
  text: string;
};

export type Ask = {
  token?: string;
  json?: unknown;
  body?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
};

/**
 * Makes a client of the gateway. It sends `json` as the body and `token` as the bearer token, and
 * fails on an answer that breaks the OpenAPI document.
 */
export function httpClient(baseUrl: string) {
  return async (
    method: string,
    path: string,
    { token, json, body, headers }: Ask = {},
  ): Promise<Answered> => {
    const sent = json === undefined ? body : JSON.stringify(json);
    const response = await fetch(baseUrl + path, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(json !== undefined && { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const { status } = response;
    const said = { status, headers: Object.fromEntries(response.headers), body: text };
    assert.deepEqual(
      contractFaults({ method, target: path, sent, ...said }),
      [],
      `${method} ${path} is answered as the document says`,
    );
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      status,
      headers: response.headers,
      text,
      json: isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : undefined,
    };
  };
}

export type HttpClient = ReturnType<typeof httpClient>;

const STANDARD_MEMBERS = ["type", "title", "status", "code", "requestId", "detail", "errors"];

/** Checks the whole problem document: its code, standard members, and the named ones only. */
export function assertProblem(
  answer: Answered,
  status: number,
  code: string,
  members: readonly string[] = [],
): void {
  assert.equal(answer.json?.code, code, answer.text);
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.json.status, status);
  assert.equal(
    answer.json.type,
    `urn:boxoffice:problem:${code.toLowerCase().replaceAll("_", "-")}`,
  );
  assert.ok(typeof answer.json.title === "string" && answer.json.title.length > 0);
  assert.equal(answer.json.requestId, answer.headers.get("x-request-id"));
  for (const member of Object.keys(answer.json))
    assert.ok([...STANDARD_MEMBERS, ...members].includes(member), `the problem says ${member}`);
  for (const broken of (answer.json.errors ?? []) as object[])
    assert.deepEqual(Object.keys(broken).sort(), ["field", "rule"]);
}

/** Sends raw bytes, also malformed HTTP. Returns all bytes until the connection closed. */
export async function sendRaw(baseUrl: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = "";
    socket
      .setEncoding("latin1")
      .setTimeout(20_000, () =>
        socket.destroy(new Error("The server did not close the connection")),
      );
    socket.on("data", (chunk: string) => (received += chunk));
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
}
