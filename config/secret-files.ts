import { readFileSync } from "node:fs";
import { isHostList, withHostList } from "./database-hosts.ts";

/** Variables with addresses of PostgreSQL, which may be lists of servers. */
const DATABASE_URLS = ["DATABASE_URL", "MIGRATION_DATABASE_URL", "BACKUP_DATABASE_URL"];

/** Variables with addresses of servers. */
export const SERVER_URLS = [
  ...DATABASE_URLS,
  "REDIS_URL",
  "REDLOCK_URLS",
  "AMQP_URL",
  "TRANSPORTER",
];

/**
 * Variables that may be in a file, named by NAME_FILE: clusters mount secrets as files, which no
 * list of processes shows.
 */
const IN_FILES = [
  ...SERVER_URLS,
  "INTERNAL_TOKEN_SECRET",
  "TRANSACTION_SECRET",
  "REFRESH_TOKEN_SECRET",
  "MAIL_TOKEN_SECRET",
  "SMTP_URL",
];

/**
 * Returns the environment with the trimmed content of those files as the variables' values, and
 * what is wrong with them. A variable that is set beside its file is wrong: one would be ignored.
 * Lists of PostgreSQL's servers are rewritten (`withHostList`).
 */
export function withFiles(environment: Readonly<Record<string, string | undefined>>): {
  environment: Record<string, string | undefined>;
  problems: string[];
} {
  const problems: string[] = [];
  const complete = { ...environment };
  for (const name of IN_FILES) {
    const file = environment[`${name}_FILE`]?.trim() ?? "";
    if (file === "") continue;
    const text = contentOf(file);
    if ((environment[name]?.trim() ?? "") !== "")
      problems.push(`${name} and ${name}_FILE are both set; give one`);
    else if (text === undefined) problems.push(`${name}_FILE names a file that cannot be read`);
    else if (text === "") problems.push(`${name}_FILE names an empty file`);
    else Object.assign(complete, { [name]: text, [`${name}_FILE`]: undefined });
  }
  for (const name of DATABASE_URLS) {
    const url = complete[name];
    if (url === undefined) continue;
    const rewritten = withHostList(url);
    complete[name] = rewritten;
    if (isHostList(rewritten))
      problems.push(`${name} has a host in its list that cannot be read; give one:5432,two:5432`);
  }
  return { environment: complete, problems };
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
