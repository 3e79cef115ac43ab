import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../../tools/root.ts";
import { play } from "./model/play.ts";
import { searchPlantedMistakes } from "./planted-mistakes.ts";
import { describeFailure, search } from "./search.ts";
import { describeHistory, type History } from "./model/steps.ts";

const USAGE = `npx boxoffice simulate [--seeds 10000] [--from N] [--history JSON]
npx boxoffice simulate --plants [--write]
Plays seeded histories of the whole system in virtual time: demands, faults, and a final check.
Shrinks the first failing history and prints the command that replays it.
--history plays one history. --plants searches for planted mistakes.`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    history: { type: "string" },
    plants: { type: "boolean" },
    write: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  if (values.history !== undefined) {
    const history = JSON.parse(values.history) as History;
    const violations = await play(history);
    print(
      [describeHistory(history), ...(violations.length === 0 ? ["sound"] : violations)].join("\n"),
    );
    return violations.length === 0 ? 0 : 1;
  }
  if (values.plants === true) {
    const { page, missed } = await searchPlantedMistakes(print);
    if (values.write === true) writeFileSync(join(ROOT, "docs", "planted-mistakes.md"), page);
    return missed.length === 0 ? 0 : 1;
  }
  const [seeds, from] = [Number(values.seeds), Number(values.from)];
  if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from)) {
    print(USAGE);
    return 1;
  }
  const began = performance.now();
  const failure = await search(from, seeds);
  const { user, system } = process.cpuUsage();
  if (failure !== undefined) print(describeFailure(failure));
  else print(`${seeds} histories from seed ${from} are sound`);
  const elapsed = ((performance.now() - began) / 1_000).toFixed(1);
  print(`${elapsed} s, ${((user + system) / 1_000_000).toFixed(1)} s of CPU`);
  return failure === undefined ? 0 : 1;
}

process.exitCode = await main();
