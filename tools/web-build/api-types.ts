import { join } from "node:path";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { apiDocument } from "../../main.ts";
import { PUBLIC } from "./sources.ts";

const HEADER = "// Written by `npx boxoffice api-types` from the OpenAPI document.\n";
const API = join(PUBLIC, "src", "api");

/**
 * Makes the web app's files from the OpenAPI document that the gateway serves: the types of its
 * client, and the limits that a page must know before it sends.
 */
export async function apiFiles(): Promise<Record<string, string>> {
  const document = await apiDocument();
  const types = await openapiTS(structuredClone(document) as unknown as OpenAPI3);
  const limit = /"quantity":\{[^}]*"maximum":(\d+)[^}]*"default":1/.exec(
    JSON.stringify(document.paths["/api/events/{eventId}/tickets"]),
  )?.[1];
  if (limit === undefined) throw new Error("The document has no maximum of a purchase's quantity");
  return {
    [join(API, "schema.d.ts")]: HEADER + astToString(types),
    [join(API, "limits.ts")]: `${HEADER}export const TICKETS_PER_PURCHASE_MAX = ${limit};\n`,
  };
}
