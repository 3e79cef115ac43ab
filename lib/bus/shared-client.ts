import type { ServiceBroker } from "moleculer";

/** One client per broker for all its services. */
export type SharedClient<T> = {
  /** Opens the client for its first user; each call must be matched by one `release`. */
  acquire(broker: ServiceBroker): T;
  /** Closes the client with its last user. */
  release(broker: ServiceBroker): Promise<void>;
  /** The client, if any service uses it now. */
  peek(broker: ServiceBroker): T | undefined;
};

/** Describes how a client is opened and closed; see `SharedClient`. */
export function createSharedClient<T>(
  open: (broker: ServiceBroker) => T,
  close: (client: T) => Promise<void> | void,
): SharedClient<T> {
  const clients = new WeakMap<ServiceBroker, { client: T; users: number }>();
  return {
    acquire(broker) {
      let shared = clients.get(broker);
      if (shared === undefined) clients.set(broker, (shared = { client: open(broker), users: 0 }));
      shared.users += 1;
      return shared.client;
    },
    async release(broker) {
      const shared = clients.get(broker);
      if (shared === undefined) return;
      shared.users -= 1;
      if (shared.users > 0) return;
      clients.delete(broker);
      await close(shared.client);
    },
    peek: (broker) => clients.get(broker)?.client,
  };
}
