import type { ServiceBroker } from "moleculer";

/**
 * Runs `leave` before the broker's first stop does anything. Moleculer's own `stopping` hook comes half a second later,
 * when the registry has been told. A second stop waits for the first.
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
