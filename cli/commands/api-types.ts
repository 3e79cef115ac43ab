import { writeFileSync } from "node:fs";
import { API_TYPES_FILE, apiTypes } from "../../tools/web-build/api-types.ts";

/** `npm run api-types`: after a change of the contract; `npm run check` then says what the pages must change. */
writeFileSync(API_TYPES_FILE, await apiTypes());
console.log("api-types: written to public/src/api/schema.d.ts");
