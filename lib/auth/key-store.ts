import { type KeyObject, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../config/index.ts";
import { ACCESS_TOKEN_LIFE_MS, publicJwk } from "./access-token.ts";

/** Longer than clocks of nodes differ and than a gateway's next look at the keys. */
const RETIRED_AFTER_MS = ACCESS_TOKEN_LIFE_MS + 5 * 60_000;

export type AccessKey = {
  /** The file's name, 20261122T235500Z.pem, says from when on the key signs; it is published as soon as the file is there. */
  file: string;
  signsFromMs: number;
  kid: string;
  privateKey: KeyObject;
};

/** The keys of a folder, oldest first. Throws a ConfigError that names the file, never what is in it. */
export function readAccessKeys(folder: string): AccessKey[] {
  const files = existsSync(folder)
    ? readdirSync(folder).filter((file) => file.endsWith(".pem"))
    : [];
  if (files.length > 0) return files.sort().map((file) => readKey(folder, file));
  throw new ConfigError([
    `${folder} holds no key of access tokens; make one: npx boxoffice keys rotate`,
  ]);
}

function readKey(folder: string, file: string): AccessKey {
  const digits = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.pem$/.exec(file)?.slice(1);
  const [year, month, day, hour, minute, second] = digits ?? [];
  const signsFromMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(signsFromMs))
    throw new ConfigError([
      `${join(folder, file)} is not named by the moment from which it signs, 20261122T235500Z.pem`,
    ]);
  try {
    const privateKey = createPrivateKey(readFileSync(join(folder, file), "utf8"));
    return { file, signsFromMs, kid: publicJwk(privateKey).kid, privateKey };
  } catch {
    throw new ConfigError([`${join(folder, file)} is not an Ed25519 private key in PEM`]);
  }
}

/** Makes a key that signs from then on. Two made for the same second fail with EEXIST: nothing is overwritten. */
export function addAccessKey(folder: string, signsFromMs: number): AccessKey {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = `${new Date(signsFromMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z.pem`;
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(folder, file), pem, { flag: "wx", mode: 0o600 });
  return readKey(folder, file);
}

/** The newest key whose moment has come; before any has, the first. */
export function signingKeyOf(keys: readonly AccessKey[], nowMs: number): AccessKey {
  const key = keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? keys[0];
  if (key === undefined) throw new Error("There is no key of access tokens");
  return key;
}

/** All keys but those whose successor has signed for longer than any token lives. */
export function verifyingKeysOf(keys: readonly AccessKey[], nowMs: number): AccessKey[] {
  return keys.filter(
    (_key, index) =>
      nowMs < (keys[index + 1]?.signsFromMs ?? Number.POSITIVE_INFINITY) + RETIRED_AFTER_MS,
  );
}

/** Deletes the keys that verify nothing any more; answers their files. */
export function removeRetiredKeys(folder: string, nowMs: number): string[] {
  const keys = readAccessKeys(folder);
  const kept = new Set(verifyingKeysOf(keys, nowMs));
  const retired = keys.filter((key) => !kept.has(key)).map(({ file }) => file);
  for (const file of retired) rmSync(join(folder, file));
  return retired;
}
