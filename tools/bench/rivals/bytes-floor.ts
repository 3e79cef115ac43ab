import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SameBytes } from "../scenarios/cached-search.ts";

/** Floor of a cached response: node:http sends given bytes, in a process of its own. */
process.once("message", ({ status, headers, body }: SameBytes) => {
  const bytes = Buffer.from(body, "base64");
  const flat = headers.flat();
  const server = createServer((_request, response) => {
    response.writeHead(status, flat);
    response.end(bytes);
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
});
process.on("disconnect", () => process.exit());
