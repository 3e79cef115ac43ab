import { AUTH_ROUTES } from "./auth.routes.ts";
import { CATALOG_ROUTES } from "./catalog.routes.ts";
import { documentRoutes } from "./openapi.routes.ts";
import type { OpenApiDocument } from "../openapi/openapi.ts";
import { PLAIN_OPERATIONS } from "./health.routes.ts";
import { OPERATOR_ROUTES } from "./operator.routes.ts";
import type { Route } from "../routing/route.ts";
import { TICKET_ROUTES } from "./ticket.routes.ts";

const WORKING_ROUTES: readonly Route[] = [
  ...AUTH_ROUTES,
  ...CATALOG_ROUTES,
  ...TICKET_ROUTES,
  ...OPERATOR_ROUTES,
];
const { routes, document } = documentRoutes([...WORKING_ROUTES, ...PLAIN_OPERATIONS]);

/** Every route there is, with those that tell of all. */
export const API_ROUTES: readonly Route[] = [...WORKING_ROUTES, ...routes];

/** What /api/openapi.json serves. */
export const API_DOCUMENT: OpenApiDocument = document;
