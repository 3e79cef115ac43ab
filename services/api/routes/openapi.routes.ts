import { accepted } from "../../../domain/refusal.ts";
import { type Described, type OpenApiDocument, openApiDocument } from "../openapi/openapi.ts";
import { referencePage } from "../openapi/reference-page.ts";
import type { Route } from "../routing/route.ts";

const NO_VALUE = Promise.resolve(accepted(null));

/** Builds the OpenAPI document of `routes` and the two routes that serve it: as JSON, as a page. */
export function documentRoutes(routes: readonly Described[]): {
  routes: Route[];
  document: OpenApiDocument;
} {
  const jsonRoute: Route = {
    method: "GET",
    path: "/api/openapi.json",
    auth: "public",
    about: {
      id: "getOpenApiDocument",
      tag: "operations",
      description: "This contract, generated from the rules that validate requests.",
      success: { description: "An OpenAPI 3.1 document", schema: { type: "object" } },
    },
    status: 200,
    cache: "public, max-age=60",
    call: () => NO_VALUE,
    success: () => ({ headers: {}, text }),
  };
  const pageRoute: Route = {
    method: "GET",
    path: "/api/docs",
    auth: "public",
    about: {
      id: "getReference",
      tag: "operations",
      description: "This contract as a page.",
      success: { description: "A page", mediaType: "text/html" },
    },
    status: 200,
    cache: "public, max-age=60",
    call: () => NO_VALUE,
    success: () => reference,
  };
  const document = openApiDocument([...routes, jsonRoute, pageRoute]);
  const text = JSON.stringify(document);
  const reference = referencePage(document);
  return { routes: [jsonRoute, pageRoute], document };
}
