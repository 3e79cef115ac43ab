import type { ServiceBroker } from "moleculer";

/**
 * Runs `leave` first in the broker's stop. Moleculer's `stopping` hook runs half a second later,
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
