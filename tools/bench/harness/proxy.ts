import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideBinaries } from "../../dev-servers/packages.ts";
import { startNginx } from "../../dev-servers/nginx.ts";
import { makeCertificate } from "../../testing/certificate.ts";
import type { Processes } from "./process-figures.ts";

/** What stands between the load and the servers. `urls`: one for each server, in order. */
export type Proxy = { urls: string[]; processes: Processes; stop(): Promise<void> };

/** Puts a proxy before servers at these addresses. */
export type Placed = (urls: readonly string[]) => Promise<Proxy>;

/** The load comes straight to the servers. */
export const noProxy: Placed = async (urls) => ({
  urls: [...urls],
  processes: {},
  stop: async () => undefined,
});

/** Debian's nginx, configured as docs/operations.md says, which ends TLS. */
export const tlsProxy: Placed = async (urls) => {
  const { nginx: program = "nginx" } = await provideBinaries(["nginx"], (line) =>
    console.log(`bench: ${line}`),
  );
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-proxy-"));
  const tls = makeCertificate(folder, "site");
  const upstreams = urls.map((url) => Number(new URL(url).port));
  const nginx = await startNginx(program, { upstreams, tls }).finally(() =>
    rmSync(folder, { recursive: true }),
  );
  return {
    urls: nginx.ports.map((port) => `https://127.0.0.1:${port}`),
    processes: { nginx: nginx.pid },
    stop: () => nginx.stop(),
  };
};
