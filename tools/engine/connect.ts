import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { type Middleware, ServiceBroker } from "moleculer";
import { type Config, type Environment, readConfig } from "../../config/index.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { createBrokerOptions } from "../../moleculer.config.ts";
import { readEngineFile } from "./engine-file.ts";

const JOIN_MS = 10_000;
const LOOK_AGAIN_MS = 20;
/** Acts of an operator at the keyboard are nobody's account's. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

/** No engine was found, or it did not answer; the message says what to do. */
export class NoEngine extends Error {}

export type Engine = {
  broker: ServiceBroker;
  config: Config;
  /** From now on calls are this operator's and no longer nobody's. */
  actAs(userId: string): void;
};

/**
 * Joins the bus of the running engine as a node without services, on behalf of the person at the keyboard: every call made from it carries an
 * operator's internal token. Waits until the service that it `needs` is there, else until any is. `as` is the beginning of its name on the bus.
 * The servers are those of the environment, else those that `npm start` wrote to DATA_DIR/engine.json. Rejects with NoEngine or ConfigError.
 */
export async function joinEngine(
  environment: Environment,
  { as, needs }: { as: string; needs?: string },
): Promise<Engine> {
  const { dataDir } = readConfig(environment);
  const named = Object.entries(environment).filter(
    ([, text]) => text !== undefined && text.trim() !== "",
  );
  const urls = readEngineFile(dataDir)?.urls;
  if (urls === undefined && !environment.TRANSPORTER?.trim())
    throw new NoEngine(
      `No engine runs with its data in ${dataDir}. Run npm start first, in another terminal, or set DATA_DIR to the engine's.`,
    );
  const nodeId = `${as}-${hostname()}-${process.pid}`;
  const config = readConfig({
    ...urls,
    ...Object.fromEntries(named),
    NODE_ID: nodeId,
    METRICS_PORT: "",
    HEALTH_PORT: "",
  });
  const person = { userId: NOBODY };
  const broker = new ServiceBroker({
    ...(await createBrokerOptions(config, [actAsOperator(config.internalTokenSecret, person)])),
    logger: false,
    registry: { strategy: "RoundRobin", preferLocal: false },
  });
  const giveUp = AbortSignal.timeout(JOIN_MS);
  const started = broker.start().then(() => serviceSeen(broker, needs, giveUp));
  const joined = await Promise.race([
    started.catch(() => false),
    wait(JOIN_MS, false, { ref: false }),
  ]);
  if (!joined) {
    await Promise.race([broker.stop().catch(() => undefined), wait(1_000)]);
    throw new NoEngine(
      `The engine did not answer within ${JOIN_MS / 1_000} s. Run npm start first, in another terminal.`,
    );
  }
  return { broker, config, actAs: (userId) => (person.userId = userId) };
}

async function serviceSeen(
  broker: ServiceBroker,
  needs: string | undefined,
  giveUp: AbortSignal,
): Promise<boolean> {
  while (!giveUp.aborted) {
    const services = broker.registry.getServiceList({ onlyAvailable: true, skipInternal: true });
    if (services.some(({ name }) => needs === undefined || name === needs)) return true;
    await wait(LOOK_AGAIN_MS);
  }
  return false;
}

/** A token lives for a minute, a session at the keyboard for hours: each call gets one of its own. */
function actAsOperator(secret: string, person: { userId: string }): Middleware {
  const mint = createInternalTokenMint(secret);
  const call =
    (next: ServiceBroker["call"]) =>
    (action: string, params: object, options: { meta?: object } = {}) =>
      next(action, params, {
        ...options,
        meta: { token: mint({ userId: person.userId, role: "operator" }), ...options.meta },
      });
  return { name: "ActAsOperator", call: call as unknown as NonNullable<Middleware["call"]> };
}
