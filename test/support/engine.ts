import { type KeyObject, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Config,
  type Environment,
  readConfig,
  type ServerUrls,
  serverUrlsOf,
} from "../../config/index.ts";
import { type RunningNode, type SchemaOverrides, startNode } from "../../main.ts";
import { readAccessKeys, signingKeyOf } from "../../lib/auth/key-store.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import type { Role } from "../../lib/auth/jwt.ts";
import { createAccessTokenSigner } from "../../lib/auth/access-token.ts";
import NodeService from "../../services/node/node.service.ts";
import { freshDatabase } from "./database.ts";
import { addConcert } from "./fixtures/event-rows.ts";
import { claimSlot } from "./processes/servers.ts";

/** Drains one of several nodes in this process. */
const drainingAlone: typeof NodeService = {
  ...NodeService,
  methods: {
    stopNode() {
      void this.broker.stop();
    },
  },
};

export type Engine = {
  /** The address of the first node's gateway. */
  url: string;
  config: Config;
  /** What another process needs to join it. */
  environment: ServerUrls & { DATA_DIR: string; BUS_NAMESPACE: string };
  /** Signs access tokens that its gateways accept. */
  signingKey: KeyObject;
  database: Database;
  /** The same database by the schema's owner; nodes have the engine's role. */
  ownerUrl: string;
  /** Starts another node of the same engine. */
  startNode(environment?: Environment, overrides?: SchemaOverrides): Promise<RunningNode>;
  /** Adds an upcoming event with this capacity and returns its id. */
  addEvent(event?: { capacity?: number; startsInMs?: number }): Promise<string>;
  /** Makes an access token like a sign-in's, without the cost of a password hash. */
  accessToken(userId?: string, role?: Role): string;
  close(): Promise<void>;
};

/**
 * Starts the engine on real servers, with its own database, vhost, Redis database and bus. Its
 * nodes reach the database `through` the returned address.
 */
export async function startEngine(
  environment: Environment = {},
  through: (databaseUrl: string) => string = (databaseUrl) => databaseUrl,
): Promise<Engine> {
  const [slot, fresh, dataDir] = await Promise.all([
    claimSlot(),
    freshDatabase(),
    mkdtemp(join(tmpdir(), "boxoffice-test-")),
  ]);
  const base: Environment = {
    PORT: "0",
    // Tests send hundreds of requests from one address. Tests of the limits switch them on.
    RATE_LIMITS: "off",
    LOG_LEVEL: "fatal",
    AUDIT_FILE: join(dataDir, "audit.log"),
    DATA_DIR: dataDir,
    ...slot.urls,
    DATABASE_URL: through(fresh.engineUrl),
    BUS_NAMESPACE: `test-${randomUUID()}`,
  };
  const nodes: RunningNode[] = [];
  const start = async (
    more: Environment = {},
    overrides?: SchemaOverrides,
  ): Promise<RunningNode> => {
    const config = readConfig({
      ...base,
      NODE_ID: `node-${nodes.length + 1}-${randomUUID()}`,
      ...environment,
      ...more,
    });
    const node = await startNode(config, { node: drainingAlone, ...overrides });
    nodes.push(node);
    return node;
  };
  const { url = "" } = await start();
  const config = readConfig({ ...base, ...environment });
  const database = openDatabase(fresh.url, "long");
  const signingKey = signingKeyOf(
    readAccessKeys(readConfig({ ...base, SERVICES: "auth" }).accessTokenKeysDir),
    Date.now(),
  ).privateKey;
  const sign = createAccessTokenSigner(signingKey);

  return {
    url,
    config,
    signingKey,
    database,
    ownerUrl: fresh.url,
    startNode: start,
    accessToken: (userId = randomUUID(), role = "customer") =>
      sign({ userId, role, sessionId: randomUUID() }),
    environment: {
      ...serverUrlsOf(config),
      DATA_DIR: dataDir,
      BUS_NAMESPACE: config.namespace,
    },
    addEvent: ({ capacity = 100, ...more } = {}) =>
      addConcert(database, { total: capacity, ...more }),
    async close() {
      await Promise.all(nodes.map((node) => node.stop()));
      await database.close();
      await Promise.all([
        fresh.drop(),
        slot.release(),
        rm(dataDir, { recursive: true, force: true }),
      ]);
    },
  };
}
