// The gateway's server by raw bytes: an HTTP/1 connection speaks HTTP/1.0 and 1.1, and no other
// version ends the process.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { createGatewayServer } from "../../services/api/server/http-server.ts";

describe("the version of a request", () => {
  const versions: string[] = [];
  const server = createGatewayServer(undefined, (request, response) => {
    versions.push(request.httpVersion);
    response.writeHead(200, { "Content-Length": 3 }).end("yes");
  });
  let port = 0;
  before(async () => {
    port = Number(new URL(await server.listen("127.0.0.1", 0)).port);
  });
  after(() => server.close());

  const ask = async (version: string): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET / ${version}\r\nHost: here\r\nConnection: close\r\n\r\n`);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "close");
    return text;
  };

  for (const version of ["HTTP/1.0", "HTTP/1.1"])
    it(`${version} is served`, async () => {
      assert.match(await ask(version), /^HTTP\/1\.1 200 OK\r\n[^]*yes$/);
      assert.equal(versions.pop(), version.slice(5));
    });

  for (const version of ["HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"])
    it(`${version} is a 400 with a problem document, and the connection ends`, async () => {
      const answer = await ask(version);
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/);
      assert.match(answer, /"code":"MALFORMED"/);
      assert.deepEqual(versions, []);
    });
});
