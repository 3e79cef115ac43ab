import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const NAMESPACE = "boxoffice";
const REDIS_MASTERS = [0, 1, 2].map((number) => `redis-${number}.redis`);
const NATS_SERVERS = [0, 1, 2].map((number) => `nats-${number}.nats-nodes`);

/** Safe in a URL, in a line of a configuration, and for the check of guessable secrets. */
const drawn = (): string => randomBytes(36).toString("base64url");

/** The files that kubernetes/overlays/NAME/kustomization.yaml makes secrets of: each drawn anew, and the URLs that carry them. */
export function drawSecrets(): Record<string, string> {
  const [postgres, redis, rabbitmq, nats, routes] = [drawn(), drawn(), drawn(), drawn(), drawn()];
  const redisUrl = (host: string): string => `redis://:${redis}@${host}.${NAMESPACE}.svc:6379`;
  return {
    "postgres-password": postgres,
    "database-url": `postgres://boxoffice:${postgres}@postgres.${NAMESPACE}.svc:5432/boxoffice`,
    "redis.conf": `requirepass ${redis}\n`,
    "redis-url": redisUrl(REDIS_MASTERS[0] ?? ""),
    "redlock-urls": REDIS_MASTERS.map(redisUrl).join(","),
    "rabbitmq.conf": `default_user = boxoffice\ndefault_pass = ${rabbitmq}\n`,
    "erlang-cookie": drawn(),
    "amqp-url": `amqp://boxoffice:${rabbitmq}@rabbitmq.${NAMESPACE}.svc:5672`,
    "nats-clients.conf": `authorization { user: "boxoffice", password: "${nats}" }\n`,
    "nats-cluster.conf":
      `cluster {\n  name: boxoffice\n  port: 6222\n  authorization { user: "route", password: "${routes}" }\n` +
      `  routes = [${NATS_SERVERS.map((host) => `"nats://route:${routes}@${host}.${NAMESPACE}.svc:6222"`).join(", ")}]\n}\n`,
    transporter: `nats://boxoffice:${nats}@nats.${NAMESPACE}.svc:4222`,
    "internal-token-secret": drawn(),
    "transaction-secret": drawn(),
    "refresh-token-secret": drawn(),
    "access-key.pem": generateKeyPairSync("ed25519")
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString(),
    "grafana-password": drawn(),
  };
}

/** Writes them to a folder that only its owner can read. Answers the names of those that were there already, which stay as they are. */
export function writeSecrets(folder: string, secrets: Record<string, string>): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const there = Object.keys(secrets).filter((name) => existsSync(join(folder, name)));
  // A password is in two files: half of an old set and half of a new one would fit nothing.
  if (there.length > 0) return there;
  for (const [name, text] of Object.entries(secrets))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  return [];
}

if (import.meta.main) {
  const overlay = process.argv[2] ?? "";
  const base = resolve(import.meta.dirname, "../../kubernetes/overlays", overlay);
  if (!/^[\w-]+$/.test(overlay) || !existsSync(base)) {
    console.error(
      "npm run kubernetes-secrets -- OVERLAY    draws every secret of kubernetes/overlays/OVERLAY (minikube, production), once",
    );
    process.exitCode = 1;
  } else {
    const folder = join(base, "secrets");
    const there = writeSecrets(folder, drawSecrets());
    if (there.length > 0) {
      console.error(
        `${folder} has secrets already, which stay as they are. transaction-secret must never change, or a retry sells again.`,
      );
      process.exitCode = 1;
    } else
      console.log(
        `Wrote ${folder}. Keep a copy where you keep secrets: they are in no repository.`,
      );
  }
}
