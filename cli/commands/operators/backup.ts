import type { Command } from "commander";
import { processEnvironment, readConfig } from "../../../config/index.ts";
import { takeFullBackup } from "../../../tools/backup/full-backup.ts";
import { openBackups } from "../../../tools/backup/private-server.ts";
import { secondsSince, ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { readEngineFile } from "../../../tools/engine/engine-file.ts";
import { examples, exiting } from "../../options.ts";

type Options = { list?: boolean; keyFile?: string };

export function define(command: Command): void {
  command
    .description(
      "Makes a full backup of the running engine's private PostgreSQL; from then on its WAL is " +
        "archived too. For servers of your own see kubernetes/base/backup/backup.sh.",
    )
    .option("--key-file <file>", "encrypt with a key made of the file's first line")
    .option("--list", "show the full backups, the oldest first")
    .addHelpText("after", examples(["backup", "then: npx boxoffice restore --drill"]))
    .action(exiting(backup));
}

async function backup({ list = false, keyFile }: Options): Promise<number> {
  const { dataDir } = readConfig(processEnvironment());
  const backups = await openBackups({ dataDir, keyFile, report: console.error });
  if (list) {
    console.log(await backups.run(["list"]));
    return 0;
  }
  const engine = readEngineFile(dataDir);
  const url = engine?.backupUrl ?? engine?.urls.DATABASE_URL;
  if (url === undefined)
    throw new ServerProblem(
      `No engine runs with its data in ${dataDir}. Run npx boxoffice start first, in another terminal.`,
    );
  const startedMs = performance.now();
  const name = await takeFullBackup(backups, url);
  console.log(
    `${name} is complete (${secondsSince(startedMs)}). npx boxoffice restore --drill tries it; ` +
      "npx boxoffice restore --to TIME goes back.",
  );
  return 0;
}
