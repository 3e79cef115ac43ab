// What a feed can make the importer fetch. The server is on this machine; the rules are those of
// the internet, but for its one address.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import {
  DOWNLOAD_LIMITS,
  downloadPicture,
  INTERNET,
  type Network,
} from "../../tools/pictures/download-picture.ts";
import {
  PICTURE_HOST,
  type PictureServer,
  startPictureServer,
} from "../support/http/picture-server.ts";
import { waitFor } from "../support/wait-for.ts";

const HOST = `https://${PICTURE_HOST}`;
const QUICK = { ...DOWNLOAD_LIMITS, bytesMax: 100_000, timeoutMs: 400 };
const PRIVATE = /^Error: its host is not on the public internet$/;

describe("the download of a picture", () => {
  let server: PictureServer;
  let network: Network;
  /** Bodies that have ended, by their server or by their reader. */
  let closed = 0;
  before(async () => {
    server = await startPictureServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", HOST);
      response.once("close", () => (closed += 1));
      if (pathname === "/to") {
        response.writeHead(302, { Location: searchParams.get("url") ?? "" }).end();
      } else if (pathname === "/again") {
        const left = Number(searchParams.get("left"));
        const target = left > 0 ? `/again?left=${left - 1}` : "/picture";
        response.writeHead(307, { Location: target }).end();
      } else if (pathname === "/endless") {
        const write = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(10_000)));
        };
        response.on("drain", write);
        write();
      } else if (pathname === "/slow") {
        response.write("a");
        const timer = setInterval(() => response.write("a"), 50);
        response.once("close", () => clearInterval(timer));
      } else if (pathname === "/long") {
        response.writeHead(200, { "Content-Length": "100001" }).flushHeaders();
      } else if (pathname === "/packed") {
        response.writeHead(200, { "Content-Encoding": "gzip" }).end("a");
      } else if (pathname === "/broken") {
        response.writeHead(200, { "Content-Length": "9" }).write("a");
        setImmediate(() => response.destroy());
      } else if (pathname === "/picture") response.end("a picture");
      else if (pathname !== "/silent") response.writeHead(404).end();
    });
    network = server.network;
  });
  after(() => server.close());

  const get = async (address: string, given: Network = network): Promise<string> =>
    (await downloadPicture(address, { network: given, limits: QUICK })).toString();
  const refused = (address: string, reason: RegExp, given?: Network): Promise<void> =>
    assert.rejects(get(address, given), reason, address);
  const resolvingTo = (...addresses: string[]): Network => ({
    ...network,
    resolve: () =>
      Promise.resolve(
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      ),
  });

  it("reads it over https, also behind three redirects", async () => {
    assert.equal(await get(`${HOST}/picture`), "a picture");
    assert.equal(await get(`${HOST}/again?left=2`), "a picture");
  });

  it("S42: other addresses than plain https are refused, and no server is asked", async () => {
    const asked = server.asked.length;
    await refused(`http://${PICTURE_HOST}/picture`, /^Error: its address is not https$/);
    await refused("file:///etc/passwd", /^Error: its address is not https$/);
    await refused("nonsense", /^Error: its address is not a URL$/);
    await refused(`${HOST}:8443/picture`, /^Error: its address has another port than 443$/);
    for (const user of ["ada@", "ada:secret@", ":secret@"])
      await refused(
        `https://${user}${PICTURE_HOST}/picture`,
        /^Error: its address has a user name or a password$/,
      );
    assert.equal(server.asked.length, asked);
  });

  it("S42: hosts and literals that are not public are refused", async () => {
    const asked = server.asked.length;
    for (const host of ["10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0x0a000001"])
      await refused(`https://${host}/picture`, PRIVATE);
    for (const answer of [["10.0.0.1"], ["::1"], ["fd00::1"], ["::ffff:192.168.0.1"]])
      await refused(`${HOST}/picture`, PRIVATE, resolvingTo(...answer));
    await refused(`${HOST}/picture`, PRIVATE, resolvingTo("127.0.0.1", "10.0.0.1"));
    await refused(`${HOST}/picture`, PRIVATE, resolvingTo("::1", "127.0.0.1"));
    await refused(`${HOST}/picture`, /^Error: its host has no address$/, resolvingTo());
    assert.equal(server.asked.length, asked);
    // Without a test's network, this machine is not public either.
    for (const host of ["localhost", "127.0.0.1"])
      await assert.rejects(downloadPicture(`https://${host}/picture`), PRIVATE);
    assert.equal(INTERNET.server, undefined);
  });

  it("S42: each redirect is checked like the first address, three at most", async () => {
    const plain = createServer((_request, response) => void response.end("secret"));
    await once(plain.listen(0, "127.0.0.1"), "listening");
    const { port } = plain.address() as AddressInfo;
    const to = (url: string): string => `${HOST}/to?url=${encodeURIComponent(url)}`;
    await refused(to(`http://127.0.0.1:${port}/`), /^Error: its address is not https$/);
    await refused(to("https://10.0.0.1/"), PRIVATE);
    await refused(to("https://[::1]/"), PRIVATE);
    await refused(to(`https://${PICTURE_HOST}:8443/`), /another port than 443$/);
    await refused(to(`https://a:b@${PICTURE_HOST}/`), /a user name or a password$/);
    const rebinding: Network = {
      ...network,
      resolve: (host) =>
        Promise.resolve([{ address: host === PICTURE_HOST ? "127.0.0.1" : "10.0.0.1", family: 4 }]),
    };
    await refused(to("https://internal.example/"), PRIVATE, rebinding);
    assert.equal(await get(to(`${HOST}/picture`)), "a picture");
    await refused(`${HOST}/again?left=3`, /^Error: it is redirected more than 3 times$/);
    plain.close();
  });

  it("S42: the connection is made to the address that was judged, though the DNS changes its answer", async () => {
    let asked = 0;
    const rebinding: Network = {
      ...network,
      resolve: async () => {
        asked += 1;
        return [{ address: asked === 1 ? "127.0.0.1" : "10.0.0.1", family: 4 }];
      },
    };
    assert.equal(await get(`${HOST}/picture`, rebinding), "a picture");
    assert.equal(asked, 1);
  });

  it("wants a certificate of the host's name", async () => {
    await refused(
      "https://other.example/picture",
      /^Error: the server cannot be reached \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
    );
    await refused(`${HOST}/picture`, /^Error: the server cannot be reached \(\w+\)$/, {
      ...network,
      server: { port: network.server?.port ?? 0, ca: "" },
    });
  });

  it("S42: a download stops at 8 MB, and hangs up", async () => {
    assert.equal(DOWNLOAD_LIMITS.bytesMax, 8_000_000);
    const before = closed;
    await refused(`${HOST}/endless`, /^Error: it has more than 0\.1 MB$/);
    await refused(`${HOST}/long`, /^Error: it has more than 0\.1 MB$/);
    await waitFor(async () => closed === before + 2);
  });

  it("S42: a download stops after 10 seconds, whatever takes the time, and hangs up", async () => {
    assert.equal(DOWNLOAD_LIMITS.timeoutMs, 10_000);
    const before = closed;
    const late = /^Error: it takes longer than 0\.4 s$/;
    await refused(`${HOST}/slow`, late);
    await refused(`${HOST}/silent`, late);
    await waitFor(async () => closed === before + 2);
    await refused(`${HOST}/picture`, late, {
      ...network,
      resolve: () => new Promise(() => undefined),
    });
  });

  it("refuses other answers than a whole, plain 200", async () => {
    await refused(`${HOST}/nothing`, /^Error: the server answered 404$/);
    await refused(`${HOST}/packed`, /^Error: the server sends it packed$/);
    await refused(`${HOST}/broken`, /^Error: the server cannot be reached \(ECONNRESET\)$/);
  });
});
