import { X509Certificate } from "node:crypto";
import { accessSync, constants, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { urlsByHost } from "./database-hosts.ts";
import type { Environment } from "./environment.ts";
import { SERVER_URLS } from "./secret-files.ts";

/** The authorities that the four servers' certificates must be signed by. */
export type ServersCa = { file: string; pem: string };

const IS_POSTGRES = /^postgres(?:ql)?:$/;
/** How each server's URL says TLS. */
const TLS_FORM: Record<string, string> = {
  "redis:": "rediss://…",
  "amqp:": "amqps://…",
  "nats:": "tls://…",
  "postgres:": "?sslmode=verify-full",
  "postgresql:": "?sslmode=verify-full",
};

/** Reads SERVERS_CA_FILE; undefined without it, or with a problem. */
export function readServersCa(file: string | undefined, problems: string[]): ServersCa | undefined {
  if (file === undefined) return undefined;
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch {
    problems.push("SERVERS_CA_FILE names a file that cannot be read");
    return undefined;
  }
  try {
    new X509Certificate(pem);
    return { file: resolve(file), pem };
  } catch {
    problems.push("SERVERS_CA_FILE has no certificate in PEM");
    return undefined;
  }
}

/**
 * Names each server whose certificate would not be verified, and, with SERVERS_CA_FILE, each one
 * beyond loopback without TLS. Repeats no URL, since it may have a password.
 */
export function serverTlsProblems(environment: Environment, ca: ServersCa | undefined): string[] {
  return SERVER_URLS.flatMap((name) => {
    const texts = (environment[name] ?? "").split(",").map((text) => text.trim());
    const urls = texts.filter((text) => URL.canParse(text)).map((text) => new URL(text));
    const problems = urls.flatMap((url) => {
      const problem = databaseProblem(url);
      if (problem !== undefined) return [`${name} ${problem}`];
      if (ca === undefined || isTls(url) || isLoopback(url)) return [];
      return [`${name} has no TLS, but SERVERS_CA_FILE is set; give ${TLS_FORM[url.protocol]}`];
    });
    return problems.slice(0, 1);
  });
}

function databaseProblem({ protocol, searchParams }: URL): string | undefined {
  if (!IS_POSTGRES.test(protocol)) return undefined;
  const target = searchParams.get("target_session_attrs") ?? "read-write";
  if (target !== "read-write" && target !== "primary")
    return "has a target_session_attrs by which a server may take no writes; give read-write";
  const file = searchParams.get("sslrootcert");
  if (searchParams.get("sslmode") === "no-verify" || searchParams.has("uselibpqcompat"))
    return "does not verify PostgreSQL's certificate; give sslmode=verify-full";
  return file === null || isReadable(file)
    ? undefined
    : "has an sslrootcert that names a file that cannot be read";
}

/** Tells whether a server's URL says TLS. */
export function isTls({ protocol, searchParams }: URL): boolean {
  if (!IS_POSTGRES.test(protocol)) return ["rediss:", "amqps:", "tls:"].includes(protocol);
  const [mode, ssl] = [searchParams.get("sslmode"), searchParams.get("ssl")];
  if (mode !== null) return mode !== "disable";
  return searchParams.has("sslrootcert") || ssl === "true" || ssl === "1";
}

function isLoopback({ href }: URL): boolean {
  return urlsByHost(href).every((url) => {
    const { hostname } = new URL(url);
    return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  });
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Completes a URL of PostgreSQL that says TLS by the parameters that pg and libpq know:
 * sslmode=verify-full, and the authority as sslrootcert.
 */
export function verifiedDatabaseUrl(text: string, ca: ServersCa | undefined): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (!isTls(url)) return text;
  url.searchParams.delete("ssl");
  url.searchParams.set("sslmode", "verify-full");
  if (ca !== undefined && !url.searchParams.has("sslrootcert"))
    url.searchParams.set("sslrootcert", ca.file);
  return url.href;
}
