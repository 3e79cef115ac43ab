import type { ServiceBroker, Service, ServiceSchema } from "moleculer";
import DbService from "moleculer-db";
import SqlAdapter from "moleculer-db-adapter-sequelize";
import type { ModelAttributes, ModelOptions } from "sequelize";
import { databasePools } from "./database.mixin.ts";

/** A table as its migrations made it; the model only maps names. */
export type Table = { name: string; attributes: ModelAttributes; options?: ModelOptions };

/**
 * Uses the node's pool "sale". moleculer-db clones its adapter with everything inside, so the
 * adapter holds no Sequelize until `init`.
 */
class SharedPoolAdapter extends SqlAdapter {
  declare broker: ServiceBroker;
  declare opts: unknown[];

  constructor() {
    super({});
  }

  override init(broker: ServiceBroker, service: Service): void {
    super.init(broker, service);
    // The fourth argument is where the adapter looks for `noSync`: migrations make the tables.
    this.opts = [
      databasePools.sale.acquire(broker).sequelize,
      undefined,
      undefined,
      { noSync: true },
    ];
  }

  /** The original closes the pool, which other services use. */
  override disconnect(): Promise<void> {
    return databasePools.sale.release(this.broker);
  }
}

/** The generic actions are off: a caller could search hidden columns or choose ids. */
const NO_GENERIC_ACTIONS = {
  find: false,
  count: false,
  list: false,
  create: false,
  insert: false,
  get: false,
  update: false,
  remove: false,
} as const;

/**
 * Gives a service moleculer-db's Sequelize adapter on one table: `this.adapter.findOne({ where })`,
 * `.insert(row)`. Atomic steps are SQL on a pool of `DatabaseMixin`.
 */
export function TableMixin({ name, attributes, options }: Table): Partial<ServiceSchema> {
  const schema = {
    mixins: [DbService as unknown as Partial<ServiceSchema>],
    adapter: new SharedPoolAdapter(),
    model: {
      name,
      define: attributes,
      options: { tableName: name, timestamps: false, underscored: true, ...options },
    },
    actions: NO_GENERIC_ACTIONS,
  };
  return schema;
}
