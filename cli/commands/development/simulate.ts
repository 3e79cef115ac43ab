import type { Command } from "commander";
import { play } from "../../../test/simulation/model/play.ts";
import { describeFailure, search } from "../../../test/simulation/model/search.ts";
import { describeHistory, type History } from "../../../test/simulation/model/steps.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

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

async function simulate({ seeds, from, history }: Options): Promise<number> {
  if (history !== undefined) return playOne(JSON.parse(history) as History);
  const startedMs = performance.now();
  const failure = await search(from, seeds);
  const { user, system } = process.cpuUsage();
  console.log(
    failure === undefined
      ? `${seeds} histories from seed ${from} are correct`
      : describeFailure(failure),
  );
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(`${seconds} s, ${((user + system) / 1_000_000).toFixed(1)} s of CPU`);
  return failure === undefined ? 0 : 1;
}

async function playOne(history: History): Promise<number> {
  const violations = await play(history);
  const result = violations.length === 0 ? ["correct"] : violations;
  console.log([describeHistory(history), ...result].join("\n"));
  return violations.length === 0 ? 0 : 1;
}
