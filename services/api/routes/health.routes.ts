import type { IncomingMessage, ServerResponse } from "node:http";
import { ALIVE, type Health, readinessAnswer } from "../../../lib/http/health.ts";
import { type Reply, sendAnswer } from "../../../lib/http/problem-details.ts";
import { record } from "../openapi/schemas.ts";
import { compressed } from "../http/compression.ts";
import type { Described } from "../openapi/openapi.ts";
import { methodRefusal, optionsReply } from "../handling/handle-request.ts";

/** A resource that asks no service and takes no input. */
export type PlainResource = {
  path: string;
  answer(requestId: string, request: IncomingMessage): Promise<Reply>;
};

const ALLOW = "GET, HEAD, OPTIONS";

/** Their descriptions for the OpenAPI document. */
export const PLAIN_OPERATIONS: readonly Described[] = [
  {
    method: "GET",
    path: "/healthz",
    auth: "public",
    status: 200,
    about: {
      id: "getHealth",
      tag: "operations",
      description: "Liveness probe. 200 while the process runs.",
      success: { description: "The process runs", schema: record({ status: { const: "alive" } }) },
    },
  },
  {
    method: "GET",
    path: "/readyz",
    auth: "public",
    status: 200,
    about: {
      id: "getReadiness",
      tag: "operations",
      description:
        "Readiness probe. TRY_AGAIN names the missing kinds of dependency in `detail`, no host " +
        "and no message. `troubles` names what refuses to write while the engine goes on.",
      success: {
        description: "It can serve",
        schema: record(
          { status: { const: "ready" }, troubles: { type: "array", items: { type: "string" } } },
          ["troubles"],
        ),
      },
      refusals: ["TRY_AGAIN"],
    },
  },
];

/** /healthz and /readyz. */
export function operationResources(health: Health): PlainResource[] {
  return [
    { path: "/healthz", answer: () => Promise.resolve(ALIVE) },
    {
      path: "/readyz",
      answer: (requestId) => readinessAnswer(health, requestId),
    },
  ];
}

export async function servePlain(
  resource: PlainResource,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "GET" || request.method === "HEAD")
    await sendPlain(request, response, await resource.answer(requestId, request));
  else if (request.method === "OPTIONS") sendAnswer(request, response, optionsReply(ALLOW));
  else sendAnswer(request, response, methodRefusal(ALLOW, requestId));
}

/** Pictures and fonts are compressed already. */
const PACKED = /^(?:image\/(?!svg)|font\/)/;

/** Sends a reply, compressed if it is not yet. Its `Vary` joins what the edge policy has set. */
export async function sendPlain(
  request: IncomingMessage,
  response: ServerResponse,
  { headers: { Vary, ...headers }, ...reply }: Reply,
): Promise<void> {
  if (Vary !== undefined) response.appendHeader("Vary", Vary);
  const plain = { ...reply, headers };
  const isPacked = PACKED.test(headers["Content-Type"] ?? "");
  sendAnswer(request, response, isPacked ? plain : await compressed(request, response, plain));
}
