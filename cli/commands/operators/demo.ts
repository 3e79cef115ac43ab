import type { Command } from "commander";
import { demoCatalogThrough } from "../../../tools/demo/ensure-demo-catalog.ts";
import { onEngine } from "../../on-engine.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Adds the demo events, or what is missing of them, to the catalog of the running engine, to " +
        "look around in a cluster or container. Adds nothing where the catalog has events of " +
        "another source.",
    )
    .addHelpText("after", examples(["demo", "fills an empty catalog"]))
    .action(exiting(addDemoEvents));
}

function addDemoEvents(): Promise<number> {
  return onEngine({ as: "demo", needs: "catalog" }, async ({ broker, config }) => {
    const abort = new AbortController();
    const end = () => abort.abort();
    process.once("SIGINT", end).once("SIGTERM", end);
    return (await demoCatalogThrough(broker, config, console.log, abort.signal)) ? 0 : 1;
  });
}
