import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { Variables } from "./variables.ts";

export type TlsFiles = { cert: string; certFile: string; key: string; keyFile: string };

/** Reads the certificate and its key; undefined without TLS. Both files or none must be named. */
export function readTls(
  { TLS_CERT_FILE, TLS_KEY_FILE }: Variables,
  problems: string[],
): TlsFiles | undefined {
  const certificate = pemFile("TLS_CERT_FILE", TLS_CERT_FILE, problems);
  const key = pemFile("TLS_KEY_FILE", TLS_KEY_FILE, problems);
  if ((TLS_CERT_FILE === undefined) !== (TLS_KEY_FILE === undefined))
    problems.push("TLS_CERT_FILE and TLS_KEY_FILE go together; set both or none");
  if (certificate === undefined || key === undefined) return undefined;
  if (!isKeyPair(certificate.pem, key.pem))
    problems.push("TLS_CERT_FILE and TLS_KEY_FILE are not a certificate and its key in PEM");
  return { cert: certificate.pem, certFile: certificate.file, key: key.pem, keyFile: key.file };
}

/** Checks that ports differ, and that a gateway beyond loopback has TLS or trusted proxies. */
export function networkProblems(
  { PORT, HEALTH_PORT, METRICS_PORT, HOST, SERVICES, TRUSTED_PROXIES }: Variables,
  hasTls: boolean,
): string[] {
  const problems: string[] = [];
  const ports = [PORT, HEALTH_PORT, METRICS_PORT].filter((port) => port !== undefined && port > 0);
  if (new Set(ports).size !== ports.length)
    problems.push("PORT, HEALTH_PORT and METRICS_PORT must differ");
  const isLoopback = HOST === "localhost" || HOST === "::1" || HOST.startsWith("127.");
  if (SERVICES.includes("api") && !isLoopback && !hasTls && TRUSTED_PROXIES.length === 0)
    problems.push(
      `HOST is ${HOST}, which others can reach, without TLS: set TLS_CERT_FILE and TLS_KEY_FILE, ` +
        "or TRUSTED_PROXIES",
    );
  return problems;
}

function pemFile(
  name: string,
  file: string | undefined,
  problems: string[],
): { file: string; pem: string } | undefined {
  if (file === undefined) return undefined;
  try {
    return { file: resolve(file), pem: readFileSync(file, "utf8") };
  } catch {
    problems.push(`${name} names a file that cannot be read`);
    return undefined;
  }
}

function isKeyPair(cert: string, key: string): boolean {
  try {
    return createSecureContext({ cert, key }) !== undefined;
  } catch {
    return false;
  }
}
