import { setTimeout as wait } from "node:timers/promises";
import { ServiceBroker } from "moleculer";
import { type Config, type Environment, readConfig } from "../config.ts";
import { createInternalTokenMint } from "../mixins/internal-token.ts";
import { brokerOptions } from "../moleculer.config.ts";
import { readEngineFile } from "./engine-file.ts";

const JOIN_MS = 10_000;

/** No engine was found, or it did not answer; the message says what to do. */
export class NoEngine extends Error {}

export type Engine = {
  broker: ServiceBroker;
  config: Config;
  /** An operator's internal token for one call: it lives for a minute. */
  token: () => string;
};

/**
 * Joins the bus of the running engine as a node without services, on behalf of the person at the keyboard, and waits until `service` is there.
 * The servers are those of the environment, else those that `npm start` wrote to DATA_DIR/engine.json. Rejects with NoEngine or ConfigError.
 */
export async function joinEngine(environment: Environment, service: string): Promise<Engine> {
  const { dataDir } = readConfig(environment);
  const named = Object.entries(environment).filter(([, text]) => text !== undefined && text.trim() !== "");
  const urls = readEngineFile(dataDir)?.urls;
  if (urls === undefined && !environment.TRANSPORTER?.trim())
    throw new NoEngine(
      `No engine runs with its data in ${dataDir}. Run npm start first, in another terminal, or set DATA_DIR to the engine's.`,
    );
  const config = readConfig({ ...urls, ...Object.fromEntries(named), NODE_ID: `${service}-client-${process.pid}`, METRICS_PORT: "" });
  const broker = new ServiceBroker({
    ...brokerOptions(config, []),
    logger: false,
    registry: { strategy: "RoundRobin", preferLocal: false },
  });
  const started = broker.start().then(() => broker.waitForServices(service, JOIN_MS));
  const joined = await Promise.race([
    started.then(
      () => true,
      () => false,
    ),
    wait(JOIN_MS, false, { ref: false }),
  ]);
  if (!joined) {
    await Promise.race([broker.stop().catch(() => undefined), wait(1_000)]);
    throw new NoEngine(`The engine did not answer within ${JOIN_MS / 1_000} s. Run npm start first, in another terminal.`);
  }
  const mint = createInternalTokenMint(config.internalTokenSecret);
  return { broker, config, token: () => mint({ userId: NOBODY, role: "operator" }) };
}

/** Acts of an operator at the keyboard are nobody's account's. */
const NOBODY = "00000000-0000-0000-0000-000000000000";
