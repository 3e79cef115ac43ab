import { accepted } from "../../../domain/refusal.ts";
import { type Described, type OpenApiDocument, openApiDocument } from "../openapi/openapi.ts";
import { referencePage } from "../openapi/reference-page.ts";
import type { Route } from "../routing/route.ts";

const NOTHING = Promise.resolve(accepted(null));

/** The contract of `routes` and of these two themselves: the OpenAPI document, and the same to be read by people. */
export function documentRoutes(routes: readonly Described[]): {
  routes: Route[];
  document: OpenApiDocument;
} {
  const forPrograms: Route = {
    method: "GET",
    path: "/api/openapi.json",
    auth: "public",
    about: {
      id: "getOpenApiDocument",
      tag: "operations",
      does: "This contract, generated from the rules that validate requests.",
      answer: { is: "An OpenAPI 3.1 document", schema: { type: "object" } },
    },
    status: 200,
    cache: "public, max-age=60",
    call: () => NOTHING,
    success: () => ({ headers: {}, text }),
  };
  const forPeople: Route = {
    method: "GET",
    path: "/api/docs",
    auth: "public",
    about: {
      id: "getReference",
      tag: "operations",
      does: "This contract for people.",
      answer: { is: "A page", mediaType: "text/html" },
    },
    status: 200,
    cache: "public, max-age=60",
    call: () => NOTHING,
    success: () => reference,
  };
  const document = openApiDocument([...routes, forPrograms, forPeople]);
  const text = JSON.stringify(document);
  const reference = referencePage(document);
  return { routes: [forPrograms, forPeople], document };
}
