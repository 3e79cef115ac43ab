import type { Command } from "commander";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Starts PostgreSQL, Redis, RabbitMQ and NATS of its own (those that no variable names), " +
        "migrates the database, builds the web app, and runs one node with every service in a " +
        "process of its own, which is started again if it ends. Fills an empty database with " +
        "demo events. Ctrl-C stops all of it.",
    )
    .addHelpText(
      "after",
      examples(
        ["start", "serves on http://127.0.0.1:3000, data in .data"],
        ["start > engine.log", "writes JSON lines instead of text"],
      ),
    )
    .action(
      exiting(async () => {
        const { startEngine } = await import("../../../tools/engine/start-engine.ts");
        startEngine();
      }),
    );
}
