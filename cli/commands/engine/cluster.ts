import type { Command } from "commander";
import { SERVICE_NAMES } from "../../../config/services.ts";
import { DEFAULT_COUNTS, type NodeCounts, NODES_MAX } from "../../../tools/cluster/node-counts.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

type Options = NodeCounts & { port?: number; onePort?: boolean };

export function define(command: Command): void {
  command.description(
    "Starts servers, migrates the database, builds the web app, and runs an engine of separate " +
      "processes, each with one service. Prints where each gateway serves. A process that ends " +
      "unasked is started again. Ctrl-C stops all of it.",
  );
  for (const service of SERVICE_NAMES)
    command.option(
      `--${service} <count>`,
      `nodes of the service ${service}`,
      wholeNumber(0, NODES_MAX),
      DEFAULT_COUNTS[service],
    );
  command
    .option(
      "--port <port>",
      "port of the first gateway; the others have those that follow (default: PORT)",
      wholeNumber(1, 65_535 - NODES_MAX),
    )
    .option("--one-port", "all gateways on one port, where the kernel shares it (Linux, BSD)")
    .addHelpText("after", examples(["cluster --api 3 --purchasing 3", "eight processes and more"]))
    .action(
      exiting(async ({ port, onePort, ...counts }: Options) => {
        const { runCluster } = await import("../../../tools/cluster/run-cluster.ts");
        runCluster({ counts, port, onePort: onePort === true });
      }),
    );
}
