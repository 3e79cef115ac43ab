import type { IncomingMessage } from "node:http";
import { randomId } from "../../../lib/ids/random-id.ts";

/** The client's own id where it is harmless in a log, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const id = request.headers["x-request-id"];
  return typeof id === "string" && /^[\w-]{1,128}$/.test(id) ? id : randomId();
}
