import { processEnvironment } from "../../config/index.ts";
import { messageOf } from "../../tools/dev-servers/server-problem.ts";
import { buildWebApp } from "../../tools/web-build/build.ts";

/** `npm run build`: the web app into public/dist, whether or not its sources have changed. `npm start` and `npm test` build it by themselves. */
async function main(): Promise<void> {
  await buildWebApp((line) => console.log(`boxoffice: ${line}`), {
    again: true,
    environment: processEnvironment(),
  });
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
