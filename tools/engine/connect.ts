import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { type Middleware, ServiceBroker } from "moleculer";
import { type Config, type Environment, readConfig } from "../../config/index.ts";
import { createInternalTokenMint, type Proof } from "../../lib/auth/jwt.ts";
import { createBrokerOptions } from "../../moleculer.config.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";
import { readEngineFile } from "./engine-file.ts";

/** Time for an engine of another machine to answer. */
const JOIN_TIMEOUT_MS = 10_000;
/** An engine whose process runs here will answer, however busy the machine is. */
const LOCAL_JOIN_TIMEOUT_MS = 120_000;
const REPORT_AFTER_MS = 5_000;
const POLL_MS = 20;
/** The user id of an operator without an account. */
const NO_ACCOUNT = "00000000-0000-0000-0000-000000000000";

/** Who calls, and how that was proved. */
type Person = { userId: string; proof: Proof };

/** The engine is not running, does not answer, or refuses; the message says what to do. */
export class EngineProblem extends ServerProblem {}

export type Engine = {
  broker: ServiceBroker;
  config: Config;
  /** Makes the following calls as this operator, and the audit trail say how it was proved. */
  actAs(userId: string, proof: Proof): void;
};

/**
 * Joins the bus of the running engine as a node without services, on behalf of an operator: every
 * call carries an operator's internal token. Waits until the service that it `needs` is available,
 * else until any is. `as` begins its name on the bus. With `metrics` Moleculer counts its own work.
 * Uses the servers of the environment, else those in DATA_DIR/engine.json. Rejects with
 * EngineProblem or ConfigError.
 */
export async function joinEngine(
  environment: Environment,
  { as, needs, metrics = false }: { as: string; needs?: string; metrics?: boolean },
): Promise<Engine> {
  const { dataDir } = readConfig(environment);
  const named = Object.entries(environment).filter(
    ([, text]) => text !== undefined && text.trim() !== "",
  );
  const urls = readEngineFile(dataDir)?.urls;
  if (urls === undefined && !environment.TRANSPORTER?.trim())
    throw new EngineProblem(
      `No engine runs with its data in ${dataDir}. Run npx boxoffice start first, in another ` +
        "terminal, or set DATA_DIR to the engine's.",
    );
  const nodeId = `${as}-${hostname()}-${process.pid}`;
  const config = readConfig({
    ...urls,
    ...Object.fromEntries(named),
    NODE_ID: nodeId,
    METRICS_PORT: "",
    HEALTH_PORT: "",
  });
  const person: Person = { userId: NO_ACCOUNT, proof: "secret" };
  const broker = new ServiceBroker({
    ...(await createBrokerOptions(config, [actAsOperator(config.internalTokenSecret, person)])),
    logger: false,
    metrics,
    registry: { strategy: "RoundRobin", preferLocal: false },
  });
  const timeoutMs = urls === undefined ? JOIN_TIMEOUT_MS : LOCAL_JOIN_TIMEOUT_MS;
  const abort = AbortSignal.timeout(timeoutMs);
  const notice = setTimeout(() => console.error("waiting for the engine"), REPORT_AFTER_MS);
  const started = broker.start().then(() => serviceSeen(broker, needs, abort));
  const joined = await Promise.race([
    started.catch(() => false),
    wait(timeoutMs, false, { ref: false }),
  ]);
  clearTimeout(notice);
  if (!joined) {
    await Promise.race([broker.stop().catch(() => undefined), wait(1_000)]);
    throw new EngineProblem(
      `The engine did not answer within ${timeoutMs / 1_000} s. Run npx boxoffice start first, ` +
        "in another terminal.",
    );
  }
  return { broker, config, actAs: (userId, proof) => Object.assign(person, { userId, proof }) };
}

async function serviceSeen(
  broker: ServiceBroker,
  needs: string | undefined,
  abort: AbortSignal,
): Promise<boolean> {
  while (!abort.aborted) {
    const services = broker.registry.getServiceList({ onlyAvailable: true, skipInternal: true });
    if (services.some(({ name }) => needs === undefined || name === needs)) return true;
    await wait(POLL_MS);
  }
  return false;
}

/** Gives each call a token of its own: a token lives for a minute, a session for hours. */
function actAsOperator(secret: string, person: Person): Middleware {
  const mint = createInternalTokenMint(secret);
  const call =
    (next: ServiceBroker["call"]) =>
    (action: string, params: object, options: { meta?: object } = {}) =>
      next(action, params, {
        ...options,
        meta: { token: mint({ ...person, role: "operator" }), ...options.meta },
      });
  return { name: "ActAsOperator", call: call as unknown as NonNullable<Middleware["call"]> };
}
