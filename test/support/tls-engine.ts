import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Environment } from "../../config/index.ts";
import { makeCertificate } from "./certificate.ts";
import { type Engine, startEngine } from "./engine.ts";
import { http2Client } from "./http2.ts";
import { temporaryFolder } from "./processes.ts";
import { waitFor } from "./wait-for.ts";

/** An engine with a plain gateway and one with TLS. */
export type TlsEngine = {
  engine: Engine;
  tlsUrl: string;
  eventId: string;
  /** Where certificates are, and the one that is served. */
  folder: string;
  served: ReturnType<typeof makeCertificate>;
  handshake: (options?: ConnectionOptions) => Promise<TLSSocket>;
  close(): Promise<void>;
};

export async function startTlsEngine(environment: Environment = {}): Promise<TlsEngine> {
  const { folder, remove } = temporaryFolder();
  const served = makeCertificate(folder, "served");
  const engine = await startEngine(environment);
  const tls = { SERVICES: "api", TLS_CERT_FILE: served.certFile, TLS_KEY_FILE: served.keyFile };
  const tlsUrl = (await engine.startNode(tls)).url ?? "";
  const client = http2Client(tlsUrl);
  await waitFor(async () => (await client.ask("GET", "/readyz")).status === 200, {
    withinMs: 10_000,
    what: "The TLS gateway is ready",
  });
  client.close();
  return {
    engine,
    tlsUrl,
    folder,
    served,
    eventId: await engine.addEvent(),
    handshake: (options = {}) =>
      new Promise((resolve, reject) => {
        const port = Number(new URL(tlsUrl).port);
        const wanted = { port, host: "127.0.0.1", rejectUnauthorized: false, ...options };
        const socket = connectTls(wanted, () => resolve(socket));
        socket.on("error", reject);
      }),
    async close() {
      await engine.close();
      remove();
    },
  };
}
