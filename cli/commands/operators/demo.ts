import type { Command } from "commander";
import { processEnvironment } from "../../../config/index.ts";
import { demoCatalogThrough } from "../../../tools/demo/ensure-demo-catalog.ts";
import { joinEngine } from "../../../tools/engine/connect.ts";
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

async function addDemoEvents(): Promise<number> {
  const { broker, config } = await joinEngine(processEnvironment(), {
    as: "demo",
    needs: "catalog",
  });
  const abort = new AbortController();
  const end = () => abort.abort();
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    return (await demoCatalogThrough(broker, config, console.log, abort.signal)) ? 0 : 1;
  } finally {
    await broker.stop();
  }
}
