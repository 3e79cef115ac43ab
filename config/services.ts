/** The services of the engine, in the order in which a node starts them. */
export const SERVICE_NAMES = [
  "api",
  "auth",
  "catalog",
  "purchasing",
  "ledger",
  "notifier",
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];
