import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../../config/make-folder.ts";
import type { Command } from "commander";
import { ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { examples, exiting } from "../../options.ts";
import { overlayFolder } from "./kubernetes-images.ts";

export function define(command: Command): void {
  command
    .description("Generates every secret of an overlay, once.")
    .argument("<overlay>", "minikube or production")
    .option("--upgrade", "keep the secrets of an earlier release, and add what is missing")
    .addHelpText("after", examples(["kubernetes-secrets minikube", "before the first apply"]))
    .action(exiting(run));
}

function run(overlay: string, { upgrade = false }: { upgrade?: boolean }): number {
  const folder = join(overlayFolder(overlay), "secrets");
  if (upgrade) return upgradeSecrets(folder);
  if (writeSecrets(folder, drawSecrets()).length > 0)
    throw new ServerProblem(
      `${folder} has secrets already, which stay as they are. transaction-secret must never ` +
        "change: a retried purchase would be sold again.",
    );
  console.log(`Wrote ${folder}. Keep a copy in a safe place: secrets are in no repository.`);
  return 0;
}

const NAMESPACE = "boxoffice";
const REDIS_MASTERS = [0, 1, 2].map((number) => `redis-${number}.redis`);
const NATS_SERVERS = [0, 1, 2].map((number) => `nats-${number}.nats-nodes`);

/** A random secret that is safe in a URL and in a line of a configuration. */
const drawn = (): string => randomBytes(36).toString("base64url");

/** Each of the three servers proves to the others who it is. */
const ROUTES_TLS =
  "  tls { cert_file: /tls/tls.crt, key_file: /tls/tls.key, ca_file: /tls/ca.crt }\n";

/** PostgreSQL by its roles: of the engine, of the schema's owner, of backups. */
function databaseUrls(ownerPassword: string): Record<string, string> {
  const url = (role: string, password: string): string =>
    `postgres://${role}:${password}@postgres.${NAMESPACE}.svc:5432/boxoffice?sslmode=verify-full`;
  return {
    "database-url": url("boxoffice_engine", drawn()),
    "migration-database-url": url("boxoffice", ownerPassword),
    "backup-database-url": url("boxoffice_backup", drawn()),
  };
}

/** Secrets that stand for themselves, so that a folder of before can get them later. */
const addedSecrets = (): Record<string, string> => ({
  /** Docker's configuration, for images of a registry that asks who pulls. */
  "registry.json": '{ "auths": {} }\n',
  /** E-mails wait, for four days, until the operator names a server. */
  "smtp-url": "smtp://smtp.invalid:587",
  "mail-token-secret": drawn(),
});

/** Draws the secrets that an overlay's kustomization.yaml reads, and the URLs that have them. */
export function drawSecrets(): Record<string, string> {
  const [postgres, redis, rabbitmq, nats, routes] = [drawn(), drawn(), drawn(), drawn(), drawn()];
  const redisUrl = (host: string): string => `rediss://:${redis}@${host}.${NAMESPACE}.svc:6379`;
  return {
    "postgres-password": postgres,
    ...databaseUrls(postgres),
    "redis.conf": `requirepass ${redis}\n`,
    "redis-url": redisUrl(REDIS_MASTERS[0] ?? ""),
    "redlock-urls": REDIS_MASTERS.map(redisUrl).join(","),
    "rabbitmq.conf": `default_user = boxoffice\ndefault_pass = ${rabbitmq}\n`,
    "erlang-cookie": drawn(),
    "amqp-url": `amqps://boxoffice:${rabbitmq}@rabbitmq.${NAMESPACE}.svc:5671`,
    "nats-clients.conf": `authorization { user: "boxoffice", password: "${nats}" }\n`,
    "nats-cluster.conf":
      `cluster {\n  name: boxoffice\n  port: 6222\n  authorization { user: "route", password: "${routes}" }\n` +
      `${ROUTES_TLS}  routes = [${NATS_SERVERS.map((host) => `"nats://route:${routes}@${host}.${NAMESPACE}.svc:6222"`).join(", ")}]\n}\n`,
    transporter: `tls://boxoffice:${nats}@nats.${NAMESPACE}.svc:4222`,
    "internal-token-secret": drawn(),
    "transaction-secret": drawn(),
    "refresh-token-secret": drawn(),
    "access-key.pem": generateKeyPairSync("ed25519")
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString(),
    "grafana-password": drawn(),
    ...addedSecrets(),
  };
}

/** Adds what a folder of before lacks; without roles and TLS, changes addresses, not passwords. */
function upgradeSecrets(folder: string): number {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const lacks = (name: string): boolean => !existsSync(join(folder, name));
  const hasRoles = !lacks("migration-database-url");
  const changed = {
    ...(hasRoles ? {} : upgradedSecrets(read)),
    ...Object.fromEntries(Object.entries(addedSecrets()).filter(([name]) => lacks(name))),
  };
  if (Object.keys(changed).length === 0)
    throw new ServerProblem(`${folder} has the secrets of this release already.`);
  for (const [name, text] of Object.entries(changed))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  console.log(`Wrote ${Object.keys(changed).join(", ")} to ${folder}.`);
  if (!hasRoles) console.log("Apply the migration first: it creates the new roles.");
  return 0;
}

/** Returns what changes in the secrets of a release without roles of PostgreSQL and TLS. */
export function upgradedSecrets(read: (name: string) => string): Record<string, string> {
  const routes = read("nats-cluster.conf");
  return {
    ...databaseUrls(read("postgres-password")),
    "redis-url": read("redis-url").replaceAll("redis://", "rediss://"),
    "redlock-urls": read("redlock-urls").replaceAll("redis://", "rediss://"),
    "amqp-url": read("amqp-url")
      .replace("amqp://", "amqps://")
      .replace(/:5672$/, ":5671"),
    transporter: read("transporter").replace("nats://", "tls://"),
    "nats-cluster.conf": routes.replace("  routes =", `${ROUTES_TLS}  routes =`),
  };
}

/**
 * Writes the secrets to a folder that only its owner can read. Writes none where some exist;
 * returns the names of those.
 */
export function writeSecrets(folder: string, secrets: Record<string, string>): string[] {
  makeFolder(folder, 0o700);
  const existing = Object.keys(secrets).filter((name) => existsSync(join(folder, name)));
  // A password is in two files, so old and new secrets do not fit together.
  if (existing.length > 0) return existing;
  for (const [name, text] of Object.entries(secrets))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  return [];
}
