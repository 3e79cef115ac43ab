import type { ServiceSchema } from "moleculer";
import { nodeContextOf } from "../lib/bus/node-context.ts";
import { createSharedClient } from "../lib/bus/shared-client.ts";
import { type Leases, openLeases } from "../lib/redis/redlock-lease.ts";
import { defineMixin } from "./define-mixin.ts";

/** What `LeaseMixin` adds to a service. */
export type WithLeases = { leases: Leases };

const sharedLeases = createSharedClient<Leases>(
  (broker) => {
    const { config, troubles } = nodeContextOf(broker);
    const { lockUrls, leaseMs, serversCa } = config;
    const log = broker.getLogger("node");
    return openLeases(lockUrls, leaseMs, (message) => log.warn(message), serversCa?.pem, troubles);
  },
  (leases) => leases.close(),
);

/** Gives a service Redlock leases over REDLOCK_URLS, on connections of their own. */
export function LeaseMixin(): Partial<ServiceSchema> {
  return defineMixin<WithLeases>({
    created() {
      this.leases = sharedLeases.acquire(this.broker);
    },
    async stopped() {
      await sharedLeases.release(this.broker);
    },
  });
}
