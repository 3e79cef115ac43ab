import { ACCOUNT_DATA_ROUTES } from "./account-data.routes.ts";
import { AUTH_ROUTES } from "./auth.routes.ts";
import { CATALOG_ROUTES } from "./catalog.routes.ts";
import { documentRoutes } from "./openapi.routes.ts";
import type { OpenApiDocument } from "../openapi/openapi.ts";
import { LINK_ROUTES } from "./link.routes.ts";
import { PLAIN_OPERATIONS } from "./health.routes.ts";
import { OPERATOR_ROUTES } from "./operator.routes.ts";
import type { Route } from "../routing/route.ts";
import { TICKET_ROUTES } from "./ticket.routes.ts";

const SERVICE_ROUTES: readonly Route[] = [
  ...AUTH_ROUTES,
  ...ACCOUNT_DATA_ROUTES,
  ...LINK_ROUTES,
  ...CATALOG_ROUTES,
  ...TICKET_ROUTES,
  ...OPERATOR_ROUTES,
];
const { routes, document } = documentRoutes([...SERVICE_ROUTES, ...PLAIN_OPERATIONS]);

/** Every route: the single source of aliases, validation and the OpenAPI document. */
export const API_ROUTES: readonly Route[] = [...SERVICE_ROUTES, ...routes];

/** The document at /api/openapi.json. */
export const API_DOCUMENT: OpenApiDocument = document;
