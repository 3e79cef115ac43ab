import { type Mutant, without } from "./mutant.ts";

const ROLES = "tools/database/roles.ts";
const START = "S33: serves by a role";
const PODS = "S33: give each pod";
const REFUSED = "S41: certificates of an authority";
const CLUSTER = "S41: connect to PostgreSQL";
const CONFIGURED = "S41: with SERVERS_CA_FILE";

/** S33 and S41: what the engine may do at its servers, and how it connects to them. */
export const SERVERS_MUTANTS: readonly Mutant[] = [
  without("that the engine's role is no superuser", "S33: the engine's role is no superuser", [
    ROLES,
    "`ALTER ROLE ${name} LOGIN ${attribute}PASSWORD ${password}`",
    "`ALTER ROLE ${name} SUPERUSER LOGIN ${attribute}PASSWORD ${password}`",
  ]),
  without("the tables that the engine only reads", "S33: the engine's role is no superuser", [
    ROLES,
    "`REVOKE INSERT, UPDATE, DELETE ON schema_migration, backup_run FROM ${name}`,",
    "",
  ]),
  without("that a backup's role reads no table", "S33: the role of backups", [
    ROLES,
    "`GRANT SELECT, INSERT ON backup_run TO ${name}`",
    "`GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO ${name}`",
  ]),
  without("the engine's role of a private server", START, [
    "tools/engine/prepare.ts",
    "...servers.roleUrls,",
    "",
  ]),
  without("that gateways have no URL of PostgreSQL", PODS, [
    "kubernetes/base/engine/kustomization.yaml",
    "labelSelector: boxoffice/database=true",
    "labelSelector: boxoffice/node=true",
  ]),
  without("the check of Redis' certificate", REFUSED, [
    "lib/redis/client.ts",
    "{ tls: { ca } }",
    "{ tls: { ca, rejectUnauthorized: false } }",
  ]),
  without("the check of RabbitMQ's certificate", REFUSED, [
    "lib/queue/connection.ts",
    "{ ca: options.ca }",
    "{ ca: options.ca, rejectUnauthorized: false }",
  ]),
  without("the check of NATS' certificate", REFUSED, [
    "moleculer.config.ts",
    "ca === undefined ? {} : { ca }",
    "{ ca, rejectUnauthorized: false }",
  ]),
  without("the check of PostgreSQL's certificate", CONFIGURED, [
    "config/server-tls.ts",
    'url.searchParams.set("sslmode", "verify-full");',
    'url.searchParams.set("sslmode", "no-verify");',
  ]),
  without("that a named authority wants TLS", CONFIGURED, [
    "config/server-tls.ts",
    "if (ca === undefined || isTls(url) || isLoopback(url)) return [];",
    "return [];",
  ]),
  without("that PostgreSQL takes no plain connection", CLUSTER, [
    "kubernetes/base/servers/pg_hba.conf",
    "hostssl all all all",
    "host all all all",
  ]),
  without("that RabbitMQ has no plain port", CLUSTER, [
    "kubernetes/base/servers/rabbitmq.conf",
    "listeners.tcp = none",
    "listeners.tcp.default = 5672",
  ]),
];
