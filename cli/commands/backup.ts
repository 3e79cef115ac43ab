import { parseArgs } from "node:util";
import { ConfigError, processEnvironment, readConfig } from "../../config/index.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { openBackups } from "../../tools/backup/private-server.ts";
import { readEngineFile } from "../../tools/engine/engine-file.ts";
import { messageOf, secondsSince, ServerProblem } from "../../tools/dev-servers/server-problem.ts";

const USAGE = `npm run backup                     a full backup of the running engine's private PostgreSQL; from then on its WAL is archived too
npm run backup -- --key-file FILE  encrypted with a key made of FILE's first line, without which it is lost
npm run backup -- --list           the full backups, the oldest first
Servers of your own: kubernetes/base/backup/backup.sh, which this command runs, says how.`;

try {
  const { values } = parseArgs({
    options: {
      list: { type: "boolean" },
      "key-file": { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) console.log(USAGE);
  else await backup(values.list === true, values["key-file"]);
} catch (error) {
  console.error(error instanceof ConfigError ? error.problems.join("\n") : messageOf(error));
  process.exitCode = 1;
}

async function backup(list: boolean, keyFile: string | undefined): Promise<void> {
  const { dataDir } = readConfig(processEnvironment());
  const backups = await openBackups({ dataDir, keyFile, report: console.error });
  if (list) {
    console.log(await backups.run(["list"]));
    return;
  }
  const url = readEngineFile(dataDir)?.urls.DATABASE_URL;
  if (url === undefined)
    throw new ServerProblem(
      `No engine runs with its data in ${dataDir}. Run npm start first, in another terminal.`,
    );
  const database = openDatabase(url, "long");
  try {
    const [mode] = await database.query<{ archive_mode: string }>({ text: "SHOW archive_mode" });
    if (mode?.archive_mode !== "on")
      throw new ServerProblem(
        "The running PostgreSQL cannot archive its WAL: stop the engine and start it again.",
      );
    // Before the backup, which needs the WAL that is written beside it.
    backups.archiveFromNow();
    const began = performance.now();
    const name = await backups.run(["full"], { DATABASE_URL: url });
    await database.query({ text: "SELECT pg_switch_wal()" });
    console.log(
      `${name} is whole (${secondsSince(began)}). npm run restore -- --drill tries it; npm run restore -- --to TIME goes back.`,
    );
  } finally {
    await database.close();
  }
}
