import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Command } from "commander";
import { ROOT } from "../../../tools/root.ts";
import { apiFiles } from "../../../tools/web-build/api-types.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Generates public/src/api/schema.d.ts and limits.ts from the OpenAPI document. Run it after " +
        "a change of the contract; `check` then shows what the pages must change.",
    )
    .addHelpText("after", examples(["api-types", "then: npx boxoffice check"]))
    .action(
      exiting(async () => {
        for (const [file, text] of Object.entries(await apiFiles())) {
          writeFileSync(file, text);
          console.log(`Wrote ${relative(ROOT, file)}.`);
        }
        return 0;
      }),
    );
}
