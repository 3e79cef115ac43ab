import type { Route } from "./route.ts";
import { type Validator, createValidator } from "./schema-validator.ts";

export type CompiledRoute = Route & {
  validators: { params?: Validator; query?: Validator; body?: Validator };
  /** All reads except those of tokens: the length of a compressed body could reveal a secret. */
  compressible: boolean;
};

/** All methods of one path. */
export type Resource = {
  path: string;
  /** The value of the header Allow. */
  allow: string;
  byMethod: ReadonlyMap<string, CompiledRoute>;
};

/** Routes under /api/ reject unknown query parameters. Other routes ignore them. */
const NO_QUERY = { type: "object", additionalProperties: false, properties: {} } as const;

function compile(route: Route): CompiledRoute {
  const query = route.query ?? (route.path.startsWith("/api/") ? NO_QUERY : undefined);
  return {
    ...route,
    compressible: route.method === "GET" && !route.path.startsWith("/api/auth/"),
    validators: {
      ...(route.params && { params: createValidator(route.params) }),
      ...(query && { query: createValidator(query) }),
      ...(route.body && { body: createValidator(route.body.schema) }),
    },
  };
}

/** Groups routes by path, so that a known path with another method is a 405 and not a 404. */
export function resourcesOf(routes: readonly Route[]): Resource[] {
  const paths = Map.groupBy(routes, ({ path }) => path);
  return [...paths].map(([path, ofPath]) => {
    const byMethod = new Map(ofPath.map((route) => [route.method as string, compile(route)]));
    const get = byMethod.get("GET");
    const allow = [...byMethod.keys(), ...(get ? ["HEAD"] : []), "OPTIONS"].join(", ");
    if (get) byMethod.set("HEAD", get);
    return { path, allow, byMethod };
  });
}
