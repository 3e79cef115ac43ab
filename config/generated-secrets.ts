import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import { type Environment, dataDirOf, presentValues } from "./environment.ts";
import { makeFolder } from "./make-folder.ts";

/** The first generated key is named by this moment, so that two nodes at once agree on one. */
const FIRST_KEY = "19700101T000000Z.pem";

/** Returns a secret of DATA_DIR/secrets; creates it at the first call. */
export function generatedSecret(dataDir: string, name: string): string {
  const folder = join(dataDir, "secrets");
  try {
    // Servers run as other users and have data beside the secrets, so DATA_DIR itself is open.
    makeFolder(dataDir);
    makeFolder(folder, 0o700);
    return keptFile(folder, name, () => randomBytes(48).toString("base64url"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      `DATA_DIR is ${dataDir}, which cannot be used (${reason}); make it writable, or set another`,
    ]);
  }
}

/** Creates the file unless it exists, also where several processes try; returns its content. */
function keptFile(folder: string, name: string, make: () => string): string {
  const file = join(folder, name);
  try {
    writeFileSync(file, make(), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8");
}

/** Returns the folder of the access tokens' keys. Needs no complete configuration. */
export function accessTokenKeysDirOf(environment: Environment): string {
  const { ACCESS_TOKEN_KEYS_DIR } = presentValues(environment);
  if (ACCESS_TOKEN_KEYS_DIR !== undefined) return resolve(ACCESS_TOKEN_KEYS_DIR);
  return join(dataDirOf(environment), "secrets", "access-keys");
}

/** Checks that the folder has a key. Outside production the default folder gets a first one. */
export function accessTokenKeyProblems(
  isNamed: boolean,
  folder: string,
  production: boolean,
): string[] {
  const advice = "make one: npx boxoffice keys rotate";
  if (!isNamed && production)
    return [`ACCESS_TOKEN_KEYS_DIR is missing; production has no default for it (${advice})`];
  try {
    if (!isNamed) makeFolder(folder, 0o700);
    if (readdirSync(folder).some((file) => file.endsWith(".pem"))) return [];
    if (isNamed) return [`ACCESS_TOKEN_KEYS_DIR holds no *.pem; ${advice}`];
    keptFile(folder, FIRST_KEY, newKey);
    return [];
  } catch {
    return [`ACCESS_TOKEN_KEYS_DIR names a folder that cannot be read; ${advice}`];
  }
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
