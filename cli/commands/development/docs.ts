import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { configurationPage } from "../../../config/documentation.ts";
import { ROOT } from "../../../tools/root.ts";
import { cliPage } from "../../documentation.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Generates docs/cli.md and docs/configuration.md from the code, the table of city names, and " +
        "the rules and scrapes as objects of the Prometheus operator.",
    )
    .addHelpText("after", examples(["docs", "after a change of a command or a variable"]))
    .action(
      exiting(async () => {
        const pages = await generatedPages();
        for (const [file, text] of Object.entries(pages)) writeFileSync(join(ROOT, file), text);
        console.log(`Wrote ${Object.keys(pages).join(", ")}.`);
        return 0;
      }),
    );
}

/** The pages that are generated, by file. */
export async function generatedPages(): Promise<Record<string, string>> {
  // GeoNames' data are a package of development.
  const { cityNamesTable } = await import("../../../tools/documents/city-names.ts");
  const { podMonitors, prometheusRules } =
    await import("../../../tools/monitoring/operator-objects.ts");
  const operator = "kubernetes/components/prometheus-operator";
  return {
    "docs/cli.md": await cliPage(),
    "docs/configuration.md": configurationPage(),
    "services/catalog/events/city-names.txt": cityNamesTable(),
    [`${operator}/prometheus-rules.yaml`]: prometheusRules(),
    [`${operator}/pod-monitors.yaml`]: podMonitors(),
  };
}
