import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

const PROGRAM = join(ROOT, "test", "simulation", "simulate.ts");

type Options = {
  seeds: number;
  from: number;
  history?: string;
  plants?: boolean;
  write?: boolean;
};

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
    .option("--plants", "search for each planted mistake instead")
    .option("--write", "with --plants: write docs/planted-mistakes.md")
    .addHelpText("after", examples(["simulate --seeds 1000 --from 7", "a thousand histories"]))
    .action(exiting(simulate));
}

/**
 * The model is part of the tests, which the command line does not import. The seeds are shared by
 * as many processes as there are processors.
 */
async function simulate({ seeds, from, history, plants, write }: Options): Promise<number> {
  if (plants === true) return play(["--plants", ...(write === true ? ["--write"] : [])]);
  if (history !== undefined) return play(["--history", history]);
  const share = Math.ceil(seeds / Math.min(seeds, availableParallelism()));
  const parts: Promise<number>[] = [];
  for (let first = 0; first < seeds; first += share)
    parts.push(
      play(["--from", String(from + first), "--seeds", String(Math.min(share, seeds - first))]),
    );
  return Math.max(...(await Promise.all(parts)));
}

function play(args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    spawn(process.execPath, [PROGRAM, ...args], { stdio: "inherit" })
      .once("error", () => resolve(1))
      .once("close", (code) => resolve(code ?? 1));
  });
}
