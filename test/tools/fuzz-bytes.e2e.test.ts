// Fault F29: raw bytes at the gateway. The long run is `npx boxoffice fuzz-bytes`.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readAnswers } from "../../tools/fuzz/bytes/answers.ts";
import { byteStream, type ByteStream, type Quirk } from "../../tools/fuzz/bytes/byte-streams.ts";
import { exchange } from "../../tools/fuzz/bytes/exchange.ts";
import { differenceOf } from "../../tools/fuzz/bytes/explained.ts";
import { fuzzBytes } from "../../tools/fuzz/bytes/run.ts";
import {
  type FuzzServers,
  startFuzzServers,
  throughNginx,
} from "../../tools/fuzz/bytes/servers.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import { makeCertificate } from "../../tools/testing/certificate.ts";
import { temporaryFolder } from "../support/processes/processes.ts";

const SEED = 20_261_130;
const SERVED = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-ID: a\r\n\r\nhi";
const REFUSED =
  "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n" +
  "Content-Length: 2\r\nConnection: close\r\n\r\n{}";

describe("fuzz by raw bytes", () => {
  const { folder, remove } = temporaryFolder();
  const environment = { ...outsideEnvironment(), DATA_DIR: folder };
  let servers: FuzzServers;
  before(async () => void (servers = await startFuzzServers(environment)));
  after(async () => {
    await servers.stop();
    remove();
  });

  it("F29: 600 streams are answered as by Node's plain server, or by a rule of the edge, and every connection ends", async (t) => {
    const report = await fuzzBytes({ servers, streams: 600, seed: SEED });
    t.diagnostic(JSON.stringify(Object.fromEntries(report.explanations)));
    assert.deepEqual(report.faults, [], report.faults.join("\n\n"));
    assert.equal(report.streams, 600);
    assert.equal(report.connections, 0);
    for (const status of ["200", "204", "400", "404", "405", "413", "422"])
      assert.ok((report.statuses[status] ?? 0) > 0, `no stream was answered ${status}`);
  });

  it("F29: 60 streams over TLS", async () => {
    const { certFile: TLS_CERT_FILE, keyFile: TLS_KEY_FILE } = makeCertificate(folder, "fuzz");
    const tls = await startFuzzServers({ ...environment, TLS_CERT_FILE, TLS_KEY_FILE });
    try {
      const report = await fuzzBytes({ servers: tls, streams: 60, seed: SEED, isTls: true });
      assert.deepEqual(report.faults, [], report.faults.join("\n\n"));
      assert.equal(report.connections, 0);
      assert.ok((report.statuses["200"] ?? 0) > 0);
    } finally {
      await tls.stop();
    }
  });

  it("F29: 300 streams through nginx, over plain HTTP and TLS", async () => {
    const certificate = makeCertificate(folder, "nginx");
    for (const tls of [undefined, certificate]) {
      const proxied = await throughNginx(await startFuzzServers(environment), tls);
      try {
        const isTls = tls !== undefined;
        const report = await fuzzBytes({
          servers: proxied,
          streams: 150,
          seed: SEED,
          isTls,
          isProxied: true,
        });
        assert.deepEqual(report.faults, [], report.faults.join("\n\n"));
        assert.deepEqual([report.streams, report.connections], [150, 0]);
        for (const status of ["200", "404", "422"])
          assert.ok((report.statuses[status] ?? 0) > 0, `no stream was answered ${status}`);
      } finally {
        await proxied.stop();
      }
    }
  });

  it("makes the same bytes of the same seed", () => {
    assert.deepEqual(byteStream(SEED), byteStream(SEED));
    assert.notDeepEqual(byteStream(SEED), byteStream(SEED + 1));
  });

  it("sees an answer that has no end, and two in one", async () => {
    const stream = byteStream(SEED);
    const { bytes } = await exchange(servers.gateway, { ...stream, end: "half-close" }, false);
    assert.equal(readAnswers(bytes, stream.isHead).broken, undefined);
    for (const broken of [`${SERVED}h`, SERVED.slice(0, -1), "HTTP/1.1 200", "0\r\n\r\n"])
      assert.ok(readAnswers(Buffer.from(broken), false).broken !== undefined, broken);
    assert.equal(readAnswers(Buffer.from(SERVED + REFUSED), false).answers.length, 2);
  });

  it("sees a difference that no rule explains", () => {
    const differs = (plain: string, gateway: string, ...quirks: Quirk[]): boolean => {
      const stream: ByteStream = { ...byteStream(SEED), quirks: new Set(quirks) };
      const [one, other] = [plain, gateway].map((text) => readAnswers(Buffer.from(text), false));
      if (one === undefined || other === undefined) return assert.fail();
      const way = { lost: false, isProxied: false };
      return differenceOf(stream, one, other, way, new Map()) !== undefined;
    };
    assert.ok(!differs(SERVED, SERVED));
    assert.ok(!differs(SERVED, REFUSED, "host"));
    assert.ok(!differs(REFUSED, SERVED + REFUSED));
    assert.ok(differs(SERVED, REFUSED), "refused without a reason");
    assert.ok(differs(SERVED, ""), "no answer");
    assert.ok(differs(SERVED, SERVED + SERVED), "one too many");
    assert.ok(differs(SERVED, SERVED.replace("200 OK", "500 Bad"), "host"));
    assert.ok(differs(REFUSED, SERVED), "served, and the refusal is missing");
  });
});
