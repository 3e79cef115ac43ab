import { resolve } from "node:path";
import { withFiles } from "./secret-files.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the process's environment, with the contents of secret files (NAME_FILE). */
export function processEnvironment(): Environment {
  return withFiles(process.env).environment;
}

/** Keeps variables with a value, trimmed: an empty value means unset. */
export function presentValues(environment: Environment): Record<string, string> {
  const trimmed = Object.entries(environment).map(([name, text]) => [name, text?.trim() ?? ""]);
  return Object.fromEntries(trimmed.filter(([, text]) => text !== "")) as Record<string, string>;
}

/** Returns the absolute DATA_DIR. Needs no complete configuration. */
export function dataDirOf(environment: Environment): string {
  return resolve(presentValues(environment).DATA_DIR ?? ".data");
}
