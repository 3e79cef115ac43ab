import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Floor of live availability: node:http writes the same bytes to all connections, in a process of
 * its own.
 */
const streams = new Set<ServerResponse>();
let left = 0;
const bytes = (): Buffer =>
  Buffer.from(
    `event: availability\ndata: {"eventId":"${"0".repeat(36)}",` +
      `"status":"scheduled","available":${left}}\n\n`,
  );

const server = createServer((_request, response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write(bytes());
  streams.add(response);
  response.once("close", () => streams.delete(response));
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on("message", (message) => {
  if (typeof message !== "number") process.exit();
  left = message;
  const same = bytes();
  for (const response of streams) response.write(same);
});
process.on("disconnect", () => process.exit());
