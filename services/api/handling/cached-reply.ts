import type { IncomingMessage } from "node:http";
import { type Reply, replyForMany } from "../../../lib/http/problem-details.ts";
import { encode, encodingOf, isKnown } from "../http/compression.ts";
import type { CachedResponse, GatewayCounts } from "./response-cache.ts";

export type ReplyOptions = {
  status: number;
  /** Cache-Control. */
  caching: string;
  headers: Record<string, string>;
  /** False: never a 304. */
  conditional?: boolean;
};

/** The reply for the client's encoding, or 304 if the client has the bytes. */
export function replyOf(
  gatewayCounts: GatewayCounts,
  { body, etag, replies }: CachedResponse,
  request: IncomingMessage,
  { status, caching, headers: own, conditional = true }: ReplyOptions,
): Reply | Promise<Reply> {
  const headers = { "Cache-Control": caching, ETag: etag };
  if (conditional && isKnown(request.headers["if-none-match"], etag)) {
    gatewayCounts.notModified += 1;
    return { status: 304, headers, body: "" };
  }
  const encoding = encodingOf(request.headers["accept-encoding"], body) ?? "identity";
  const known = replies.get(encoding);
  if (known !== undefined) return known;
  const all = { ...headers, ...own };
  if (encoding === "identity") {
    const reply = replyForMany(status, all, body);
    replies.set(encoding, reply);
    return reply;
  }
  const making = encode(encoding, body).then((bytes) =>
    replyForMany(status, { ...all, "Content-Encoding": encoding }, bytes),
  );
  replies.set(encoding, making);
  void making.then(
    (reply) => replies.set(encoding, reply),
    () => replies.delete(encoding),
  );
  return making;
}
