import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { API_TYPES_FILE, apiTypes } from "../../../tools/web-build/api-types.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Generates public/src/api/schema.d.ts from the OpenAPI document. Run it after a change of the " +
        "contract; `check` then shows what the pages must change.",
    )
    .addHelpText("after", examples(["api-types", "then: npx boxoffice check"]))
    .action(
      exiting(async () => {
        writeFileSync(API_TYPES_FILE, await apiTypes());
        console.log("Wrote public/src/api/schema.d.ts.");
        return 0;
      }),
    );
}
