import { randomUUID } from "node:crypto";
import { type ServiceSchema, ServiceBroker } from "moleculer";
import { readConfig } from "../../config/index.ts";
import { openNodeContext } from "../../lib/bus/node-context.ts";
import ApiService, { type GatewayFigures } from "../../services/api/api.service.ts";

/** A gateway on a broker without a bus. `services` stand in for the others. */
export async function startLoneGateway(
  services: readonly ServiceSchema[] = [],
): Promise<{ url: string; stop(): Promise<void> }> {
  const broker = new ServiceBroker({ nodeID: randomUUID(), logger: false });
  const secrets = { INTERNAL_TOKEN_SECRET: randomUUID() + randomUUID() };
  openNodeContext(
    broker,
    readConfig({ SERVICES: "api", PORT: "0", RATE_LIMITS: "off", ...secrets }),
  );
  for (const schema of services) broker.createService(schema);
  const settings = { ...ApiService.settings, waitMs: 0 };
  const gateway = broker.createService({ ...ApiService, settings }) as unknown as GatewayFigures;
  await broker.start();
  return { url: gateway.url ?? "", stop: () => broker.stop() };
}
