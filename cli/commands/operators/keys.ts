import type { Command } from "commander";
import { accessTokenKeysDirOf, processEnvironment } from "../../../config/index.ts";
import {
  addAccessKey,
  readAccessKeys,
  removeRetiredKeys,
  signingKeyOf,
  verifyingKeysOf,
} from "../../../lib/auth/key-store.ts";
import { messageOf, ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

/** By then every auth node has read a new key, and every gateway has it to verify with. */
const PUBLISHED_S = 10;

/** Works on the folder alone: before the first start as well as beside running engines. */
export function define(command: Command): void {
  command
    .description(
      "The keys that sign access tokens (ACCESS_TOKEN_KEYS_DIR). Running engines notice a change " +
        "within seconds. A stolen key: rotate --in 0, then delete its file; its tokens are refused " +
        "within seconds, refresh tokens are not affected.",
    )
    .addHelpText("after", examples(["keys rotate", "a new key signs in ten seconds"]));
  command
    .command("rotate")
    .summary("make a new key")
    .description("Makes a key that will sign, and deletes keys that no valid token needs.")
    .option("--in <seconds>", "when it begins to sign", wholeNumber(0, 999_999), PUBLISHED_S)
    .action(exiting(({ in: seconds }: { in: number }) => onFolder((dir) => rotate(dir, seconds))));
  command
    .command("list")
    .summary("show the keys")
    .description("Shows each key: file, kid, and what it does.")
    .action(exiting(() => onFolder(list)));
}

function onFolder(run: (folder: string) => void): number {
  try {
    run(accessTokenKeysDirOf(processEnvironment()));
    return 0;
  } catch (error) {
    throw new ServerProblem(messageOf(error));
  }
}

function rotate(folder: string, seconds: number): void {
  const key = addAccessKey(folder, Date.now() + seconds * 1_000);
  console.log(`${key.file} signs from ${new Date(key.signsFromMs).toISOString()}, kid ${key.kid}`);
  for (const file of removeRetiredKeys(folder, Date.now()))
    console.log(`${file} is deleted: no valid token was signed with it`);
}

function list(folder: string): void {
  const nowMs = Date.now();
  const keys = readAccessKeys(folder);
  const signing = signingKeyOf(keys, nowMs);
  const verifying = verifyingKeysOf(keys, nowMs);
  const roleOf = (key: (typeof keys)[number]): string => {
    if (key === signing) return "signs";
    if (key.signsFromMs > nowMs) return "will sign";
    return verifying.includes(key) ? "verifies" : "is retired";
  };
  for (const key of keys) console.log(`${key.file}  ${key.kid}  ${roleOf(key)}`);
}
