import { readFileSync } from "node:fs";

/** Variables whose value may be in a file instead, named by NAME_FILE: clusters mount secrets as files, which no listing of processes shows. */
const IN_FILES = [
  "DATABASE_URL",
  "REDIS_URL",
  "REDLOCK_URLS",
  "AMQP_URL",
  "TRANSPORTER",
  "INTERNAL_TOKEN_SECRET",
  "TRANSACTION_SECRET",
  "REFRESH_TOKEN_SECRET",
];

/**
 * The environment with the content of those files (less white space around it) as the variables' values, and what is wrong with them in words; what is
 * wrong stays as it was. A variable that is set beside its file is one of the wrongs: one of the two would be ignored in silence.
 */
export function withFiles(environment: Readonly<Record<string, string | undefined>>): {
  environment: Record<string, string | undefined>;
  problems: string[];
} {
  const problems: string[] = [];
  const whole = { ...environment };
  for (const name of IN_FILES) {
    const file = environment[`${name}_FILE`]?.trim() ?? "";
    if (file === "") continue;
    const text = contentOf(file);
    if ((environment[name]?.trim() ?? "") !== "")
      problems.push(`${name} and ${name}_FILE are both set; give one`);
    else if (text === undefined) problems.push(`${name}_FILE names a file that cannot be read`);
    else if (text === "") problems.push(`${name}_FILE names an empty file`);
    else Object.assign(whole, { [name]: text, [`${name}_FILE`]: undefined });
  }
  return { environment: whole, problems };
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
