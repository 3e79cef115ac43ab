// Moleculer's types leave these members out. Each is read here and nowhere else.
import { type ServiceBroker, Strategies } from "moleculer";

export type Endpoint = { id: string; local: boolean; isAvailable: boolean };

type Internals = {
  started: boolean;
  registry: { actions: { actions: Map<string, { endpoints: readonly Endpoint[] }> } };
  transit?: { connected: boolean; tx: { isSilent?: () => boolean } };
};

function internalsOf(broker: ServiceBroker): Internals {
  return broker as unknown as Internals;
}

/**
 * Runs `leave` before the broker's first stop does anything. Moleculer's `stopping` hook comes half
 * a second later, after the registry has been emptied. A second stop waits for the first.
 */
export function beforeStop(broker: ServiceBroker, leave: () => void): void {
  const stop = broker.stop.bind(broker);
  let stopped: Promise<void> | undefined;
  broker.stop = () => {
    if (stopped === undefined) {
      leave();
      stopped = stop();
    }
    return stopped;
  };
}

/** False before the end of the start, and from the beginning of the stop. */
export function isBrokerStarted(broker: ServiceBroker): boolean {
  return internalsOf(broker).started;
}

/** True while NATS does not answer pings. */
export function isBusSilent(broker: ServiceBroker): boolean {
  return internalsOf(broker).transit?.tx.isSilent?.() ?? false;
}

/** True while the broker is connected to NATS and NATS answers. Undefined without a transporter. */
export function isBusConnected(broker: ServiceBroker): boolean | undefined {
  const { transit } = internalsOf(broker);
  return transit && transit.connected && !isBusSilent(broker);
}

/** The endpoints of an action on all nodes, as this node sees them. */
export function endpointsOf(broker: ServiceBroker, action: string): readonly Endpoint[] {
  return internalsOf(broker).registry.actions.actions.get(action)?.endpoints ?? [];
}

/** Makes a strategy known to every broker of this process by its name. */
export function registerStrategy(name: string, strategy: typeof Strategies.Base): void {
  const strategies = Strategies as unknown as {
    register(name: string, strategy: typeof Strategies.Base): void;
  };
  strategies.register(name, strategy);
}
