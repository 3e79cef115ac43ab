import type { ServiceSchema, ServiceSettingSchema } from "moleculer";

/** Types `this` inside a mixin by what the mixin adds to a service. */
export function defineMixin<Vars, Settings extends ServiceSettingSchema = ServiceSettingSchema>(
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no methods
  schema: Partial<ServiceSchema<Settings, Record<never, never>, Vars>>,
): Partial<ServiceSchema> {
  // Moleculer's type of a mixin has an open `this`, which no named member can satisfy.
  return schema as unknown as Partial<ServiceSchema>;
}
