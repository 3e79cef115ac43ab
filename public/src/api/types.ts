import type { components, paths } from "./schema.d.ts";

type Schemas = components["schemas"];
export type Event = Schemas["Event"];
export type Ticket = Schemas["Ticket"];
export type Purchase = Schemas["Purchase"];
export type User = Schemas["User"];
export type Session = Schemas["Session"];
export type Preferences = Schemas["Preferences"];
export type SignedInSession = Schemas["SignedInSession"];
export type ProblemCode = Schemas["Problem"]["code"];
export type Engine =
  paths["/api/operator/engine"]["get"]["responses"][200]["content"]["application/json"];
