import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChildProgram } from "./child-program.ts";
import { freePort } from "./ports.ts";
import { answers } from "./probe.ts";
import { accountFor } from "./unix-account.ts";

export type Nginx = {
  /** The proxy's port for each upstream, in order. */
  ports: number[];
  pid: number;
  stop(): Promise<void>;
};

export type NginxOptions = {
  /** Ports of the servers behind it, on 127.0.0.1. */
  upstreams: readonly number[];
  /** Certificate and key of the proxy's own port. Without them it speaks plain HTTP. */
  tls?: { certFile: string; keyFile: string } | undefined;
  /** How long it keeps quiet connections, and waits for a client's request. */
  idleS?: number;
};

/**
 * Starts nginx before servers, configured as docs/operations.md says. Throws a ServerProblem if it
 * does not listen.
 */
export async function startNginx(program: string, options: NginxOptions): Promise<Nginx> {
  const { upstreams } = options;
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-nginx-"));
  chmodSync(folder, 0o777);
  mkdirSync(join(folder, "temporary"));
  chmodSync(join(folder, "temporary"), 0o777);
  const ports: number[] = [];
  while (ports.length < upstreams.length) ports.push(await freePort());
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration(folder, ports, options));
  if (options.tls !== undefined)
    for (const [name, from] of Object.entries({
      crt: options.tls.certFile,
      key: options.tls.keyFile,
    }))
      writeFileSync(join(folder, `site.${name}`), readFileSync(from), { mode: 0o644 });
  const nginx = await startChildProgram(
    [program, "-p", folder, "-c", file, "-e", "stderr"],
    async () =>
      (
        await Promise.all(
          ports.map((port) => answers(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", /^HTTP/)),
        )
      ).every(Boolean),
    accountFor(folder, ["www-data", "nginx"]),
  ).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    ports,
    pid: nginx.pid,
    async stop() {
      await nginx.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One process, which a signal ends whole. Streams of availability pass unbuffered. */
function configuration(
  folder: string,
  ports: readonly number[],
  { upstreams, tls, idleS = 60 }: NginxOptions,
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${join(folder, "temporary", name)};`)
    .join("\n");
  const sites = upstreams.map(
    (upstream, index) => `
  upstream gateway_${index} { server 127.0.0.1:${upstream}; keepalive 64; keepalive_timeout ${idleS}s; }
  server {
    listen 127.0.0.1:${ports[index]}${tls === undefined ? "" : " ssl http2"};
    location / { proxy_pass http://gateway_${index}; }
  }`,
  );
  return `daemon off;
master_process off;
pid ${join(folder, "nginx.pid")};
worker_rlimit_nofile 65536;
events { worker_connections 20000; }
http {
  access_log off;
${temporary}
  ${tls === undefined ? "" : "ssl_certificate site.crt;\n  ssl_certificate_key site.key;"}
  keepalive_requests 100000;
  keepalive_timeout ${idleS}s;
  client_header_timeout ${idleS}s;
  client_body_timeout ${idleS}s;
  proxy_http_version 1.1;
  proxy_ignore_client_abort on;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  client_max_body_size 64k;
${sites.join("\n")}
}
`;
}
