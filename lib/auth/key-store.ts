import { type KeyObject, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../config/make-folder.ts";
import { ConfigError } from "../../config/index.ts";
import { ACCESS_TOKEN_LIFE_MS, publicJwk } from "./access-token.ts";

/** Covers differing clocks and the gateways' next fetch of the keys. */
const RETIRED_AFTER_MS = ACCESS_TOKEN_LIFE_MS + 5 * 60_000;

export type AccessKey = {
  /** 20261122T235500Z.pem: the time from which the key signs. It is published at once. */
  file: string;
  signsFromMs: number;
  kid: string;
  privateKey: KeyObject;
};

/** Reads the keys of a folder, oldest first. Throws a ConfigError that names the file only. */
export function readAccessKeys(folder: string): AccessKey[] {
  const files = existsSync(folder)
    ? readdirSync(folder).filter((file) => file.endsWith(".pem"))
    : [];
  if (files.length > 0) return files.sort().map((file) => readKey(folder, file));
  throw new ConfigError([
    `${folder} has no key for access tokens; make one: npx boxoffice keys rotate`,
  ]);
}

function readKey(folder: string, file: string): AccessKey {
  const digits = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.pem$/.exec(file)?.slice(1);
  const [year, month, day, hour, minute, second] = digits ?? [];
  const signsFromMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(signsFromMs))
    throw new ConfigError([
      `${join(folder, file)} is not named by the time from which it signs, 20261122T235500Z.pem`,
    ]);
  try {
    const privateKey = createPrivateKey(readFileSync(join(folder, file), "utf8"));
    return { file, signsFromMs, kid: publicJwk(privateKey).kid, privateKey };
  } catch {
    throw new ConfigError([`${join(folder, file)} is not an Ed25519 private key in PEM`]);
  }
}

/** Creates a key that signs from the given time. A second key for that time fails with EEXIST. */
export function addAccessKey(folder: string, signsFromMs: number): AccessKey {
  makeFolder(folder, 0o700);
  const file = `${new Date(signsFromMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z.pem`;
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(folder, file), pem, { flag: "wx", mode: 0o600 });
  return readKey(folder, file);
}

/** The newest key whose time has come, else the first one. */
export function signingKeyOf(keys: readonly AccessKey[], nowMs: number): AccessKey {
  const key = keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? keys[0];
  if (key === undefined) throw new Error("There is no key for access tokens");
  return key;
}

/** All keys except those whose successor has signed for longer than a token's life. */
export function verifyingKeysOf(keys: readonly AccessKey[], nowMs: number): AccessKey[] {
  return keys.filter(
    (_key, index) =>
      nowMs < (keys[index + 1]?.signsFromMs ?? Number.POSITIVE_INFINITY) + RETIRED_AFTER_MS,
  );
}

/** Deletes keys that no valid token needs. Returns their files. */
export function removeRetiredKeys(folder: string, nowMs: number): string[] {
  const keys = readAccessKeys(folder);
  const kept = new Set(verifyingKeysOf(keys, nowMs));
  const retired = keys.filter((key) => !kept.has(key)).map(({ file }) => file);
  for (const file of retired) rmSync(join(folder, file));
  return retired;
}
