import { parseArgs } from "node:util";
import { accessTokenKeysDirOf, ConfigError, processEnvironment } from "../../config/index.ts";
import {
  addAccessKey,
  readAccessKeys,
  removeRetiredKeys,
  signingKeyOf,
  verifyingKeysOf,
} from "../../lib/auth/key-store.ts";
import { messageOf } from "../../tools/dev-servers/server-problem.ts";

/** So long a new key is only published: by then every auth node has read it and every gateway has heard of it. */
const REST_S = 10;
const USAGE = `npm run keys -- COMMAND    the keys that sign access tokens; running engines notice within seconds
  rotate [--in SECONDS]   makes a key that signs from then on (${REST_S} s), and deletes those that no living token needs
  list                    shows the keys: file, kid, what each does
A stolen key: rotate --in 0, then delete its file. Its tokens are refused within seconds; people's refresh tokens are not touched.`;

// npm run keys: works on the folder alone, before the first start as well as beside running engines.

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { in: { type: "string", default: String(REST_S) } },
  });
  const folder = accessTokenKeysDirOf(processEnvironment());
  const [command] = positionals;
  if (command === "list" && positionals.length === 1) list(folder);
  else if (command === "rotate" && positionals.length === 1 && /^\d{1,6}$/.test(values.in))
    rotate(folder, Number(values.in) * 1_000);
  else fail(USAGE);
} catch (error) {
  fail(error instanceof ConfigError ? error.problems.join("\n") : messageOf(error));
}

function rotate(folder: string, inMs: number): void {
  const key = addAccessKey(folder, Date.now() + inMs);
  console.log(`${key.file} signs from ${new Date(key.signsFromMs).toISOString()}, kid ${key.kid}`);
  for (const file of removeRetiredKeys(folder, Date.now()))
    console.log(`${file} is deleted: no token of it is alive`);
}

function list(folder: string): void {
  const nowMs = Date.now();
  const keys = readAccessKeys(folder);
  const signing = signingKeyOf(keys, nowMs);
  const verifying = verifyingKeysOf(keys, nowMs);
  for (const key of keys) {
    const does =
      key === signing
        ? "signs"
        : key.signsFromMs > nowMs
          ? "will sign"
          : verifying.includes(key)
            ? "verifies"
            : "is retired";
    console.log(`${key.file}  ${key.kid}  ${does}`);
  }
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
