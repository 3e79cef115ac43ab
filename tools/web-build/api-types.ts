import { join } from "node:path";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { API_DOCUMENT } from "../../main.ts";
import { PUBLIC } from "./sources.ts";

export const API_TYPES_FILE = join(PUBLIC, "src", "api", "schema.d.ts");

/** Makes the types of the web app's client from the OpenAPI document that the gateway serves. */
export async function apiTypes(): Promise<string> {
  const nodes = await openapiTS(structuredClone(API_DOCUMENT) as unknown as OpenAPI3);
  return `// Written by \`npx boxoffice api-types\` from the OpenAPI document.\n${astToString(nodes)}`;
}
