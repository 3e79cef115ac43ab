import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

const PROGRAM = join(ROOT, "test", "simulation", "simulate.ts");

type Options = { seeds: number; from: number; history?: string };

export function define(command: Command): void {
  command
    .description(
      "Plays seeded histories of the whole system in virtual time: commands, faults, and then the " +
        "invariants of a quiet engine. Shortens the first history that fails, and prints the line " +
        "that plays it again.",
    )
    .option("--seeds <count>", "number of histories", wholeNumber(1, 1e9), 10_000)
    .option("--from <seed>", "the first seed", wholeNumber(0, 1e12), 1)
    .option("--history <json>", "play this history instead")
    .addHelpText("after", examples(["simulate --seeds 1000 --from 7", "a thousand histories"]))
    .action(exiting(simulate));
}

/** The model is part of the tests, which the command line does not import. */
function simulate(options: Options): number {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return spawnSync(process.execPath, [PROGRAM, ...args], { stdio: "inherit" }).status ?? 1;
}
