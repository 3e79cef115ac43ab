// TLS and HTTP/2 of the gateway: versions, certificates, plain HTTP beside it, and proxies.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import { readConfig } from "../../config/index.ts";
import { followCertificate } from "../../services/api/server/tls-reload.ts";
import type { Tls } from "../../services/api/server/http-server.ts";
import { makeCertificate } from "../../tools/testing/certificate.ts";
import type { Engine } from "../support/engine.ts";
import { assertProblem, httpClient, sendRaw } from "../support/http/http.ts";
import { http2Client } from "../support/http/http2.ts";
import { startTlsEngine, type TlsEngine } from "../support/fixtures/tls-engine.ts";
import { waitFor } from "../support/wait-for.ts";

/** The address of this machine that is not loopback, if it has one. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

describe("TLS", () => {
  let tls: TlsEngine;
  let engine: Engine;
  let tlsUrl: string;
  let eventId: string;
  let handshake: TlsEngine["handshake"];
  before(async () => {
    tls = await startTlsEngine();
    ({ engine, tlsUrl, eventId, handshake } = tls);
  });
  after(() => tls.close());

  it("S24: TLS 1.2 and 1.3 are spoken, nothing older", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      socket.destroy();
    }
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
    await assert.rejects(handshake(old), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  });

  it("S24: plain HTTP on the port of TLS gets a 400 and no redirect", async () => {
    const answer = await sendRaw(
      tlsUrl.replace("https", "http"),
      "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"code":"MALFORMED"[^]*This port speaks HTTPS/);
    assert.doesNotMatch(answer, /location:|strict-transport/i);
  });

  it("S24: a public address without TLS or a named proxy stops the start", () => {
    const { dataDir } = engine.config;
    for (const HOST of ["0.0.0.0", "::", "192.0.2.1"])
      assert.throws(
        () => readConfig({ DATA_DIR: dataDir, HOST }),
        /without TLS: set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES/,
      );
    const wrong = {
      DATA_DIR: dataDir,
      TRUSTED_PROXIES: "proxy.example, 10.0.0.0/33",
      CORS_ORIGINS: "https://shop.example/, *",
    };
    assert.throws(
      () => readConfig(wrong),
      /"proxy.example"[^]*"10.0.0.0\/33"[^]*"https:\/\/shop.example\/"[^]*"\*"/,
    );
    const other = makeCertificate(tls.folder, "other");
    const pair = {
      DATA_DIR: dataDir,
      TLS_CERT_FILE: tls.served.certFile,
      TLS_KEY_FILE: other.keyFile,
    };
    assert.throws(() => readConfig(pair), /are not a certificate and its key/);
  });

  it(
    "S24: behind a named proxy plain HTTP is for the proxy and for loopback only",
    { skip: outside === undefined },
    async () => {
      const node = await engine.startNode({
        SERVICES: "api",
        HOST: "0.0.0.0",
        TRUSTED_PROXIES: "203.0.113.0/24",
      });
      const port = new URL(node.url ?? "").port;
      assert.equal((await httpClient(`http://127.0.0.1:${port}`)("GET", "/healthz")).status, 200);
      for (const headers of [
        {},
        { "X-Forwarded-For": "127.0.0.1" },
        { "X-Forwarded-Proto": "https" },
      ])
        assertProblem(
          await httpClient(`http://${outside}:${port}`)("GET", "/healthz", { headers }),
          403,
          "FORBIDDEN",
        );
      const trusting = await engine.startNode({
        SERVICES: "api",
        HOST: "0.0.0.0",
        TRUSTED_PROXIES: `${outside}/32`,
      });
      const proxied = httpClient(`http://${outside}:${new URL(trusting.url ?? "").port}`);
      const answer = await proxied("GET", "/healthz", {
        headers: { "X-Forwarded-Proto": "https" },
      });
      assert.equal(answer.status, 200);
      assert.equal(
        answer.headers.get("strict-transport-security"),
        "max-age=31536000",
        "S25: HTTPS up to the proxy",
      );
    },
  );

  it("S24: a certificate that changes on disk is served to new connections, a broken one is not", async () => {
    const fingerprint = async (): Promise<string> => {
      const socket = await handshake({ ALPNProtocols: ["h2", "http/1.1"] });
      assert.equal(socket.alpnProtocol, "h2");
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const before = await fingerprint();
    const next = makeCertificate(tls.folder, "next");
    copyFileSync(next.certFile, tls.served.certFile);
    copyFileSync(next.keyFile, tls.served.keyFile);
    await waitFor(async () => (await fingerprint()) !== before, {
      withinMs: 15_000,
      what: "The new certificate is served",
    });
    const [, ends] =
      /^boxoffice_certificate_expiry_timestamp_seconds (\d+)$/m.exec(
        await (await fetch(tls.metricsUrl)).text(),
      ) ?? [];
    const { validTo } = new X509Certificate(readFileSync(next.certFile));
    assert.equal(Number(ends), Date.parse(validTo) / 1_000, "the metrics tell of the new one");

    const heard: string[] = [];
    const stop = followCertificate({ ...tls.served, cert: "", key: "" } satisfies Tls, {
      renewed: ({ certFile }) => heard.push(`renewed ${certFile}`),
      broken: (reason) => heard.push(`broken ${reason}`),
    });
    await waitFor(() => heard.at(-1) === `renewed ${tls.served.certFile}`, { withinMs: 15_000 });
    const good = await fingerprint();
    writeFileSync(tls.served.certFile, "not a certificate");
    await waitFor(() => heard.at(-1)?.startsWith("broken"), {
      withinMs: 15_000,
      what: "The broken certificate has been noticed",
    });
    stop();
    assert.equal(await fingerprint(), good);
    assert.equal(heard.length, 2, heard.join());
    copyFileSync(next.certFile, tls.served.certFile);
  });

  it("S24: HTTP/2 carries purchases, also with a body of unstated length, and errors as documents", async () => {
    const client = http2Client(tlsUrl);
    const headers = {
      authorization: `Bearer ${engine.accessToken()}`,
      "content-type": "application/json",
      "idempotency-key": "h2",
    };
    const path = `/api/events/${eventId}/tickets`;
    const bought = await client.ask("POST", path, headers, '{"quantity":3}');
    assert.equal(bought.status, 201, bought.body.toString());
    assert.equal((JSON.parse(bought.body.toString()) as { quantity: number }).quantity, 3);
    assert.equal(bought.headers["idempotency-key"], "h2");
    assert.equal(
      (await client.ask("POST", path, headers)).status,
      422,
      "without a body it is a purchase of one",
    );
    assert.equal(
      (await client.ask("POST", path, { ...headers, "idempotency-key": "other" }, "{")).status,
      400,
    );
    const missing = await client.ask("GET", "/api/nothing");
    assert.equal(missing.status, 404);
    assert.equal((JSON.parse(missing.body.toString()) as { code: string }).code, "NOT_FOUND");
    assert.equal((await client.ask("HEAD", "/api/events")).body.length, 0);
    client.close();
  });
});
