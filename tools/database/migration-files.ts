import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { contractionOf } from "./expand-rule.ts";

export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * `expand`: nodes of the last release go on working. `contract`: removes what the last release but
 * one still used. See docs/operations.md, "Upgrade and rollback".
 */
export type MigrationStep = "expand" | "contract";

export type Migration = {
  version: number;
  name: string;
  sql: string;
  checksum: string;
  /** False: its statements run one by one in autocommit, and a retry runs all of them again. */
  transaction: boolean;
  /** Undefined: the head does not say. */
  step: MigrationStep | undefined;
};

/** Files before this one were applied before the rule of expand and contract. */
const FIRST_CHECKED = 11;

/** Expected failure of a migration. Its message is printed without a stack. */
export class MigrationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MigrationError";
  }
}

/**
 * Reads NNNN_name.sql in order. Throws a MigrationError for a gap, a wrong name, a missing comment,
 * or a file without a transaction that cannot be repeated.
 */
export function readMigrations(folder: string = MIGRATIONS_FOLDER): Migration[] {
  const files = readdirSync(folder).filter(
    (file) => file.endsWith(".sql") && file !== "schema.sql",
  );
  return files.sort().map((file, index) => {
    const [, digits, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    if (digits === undefined || name === undefined)
      throw new MigrationError(`migrations/${file} is not named NNNN_name.sql`);
    if (Number(digits) !== index + 1)
      throw new MigrationError(
        `migrations/${file} has number ${digits}, but is file ${index + 1} in order`,
      );
    return parseMigration(index + 1, name, readFileSync(`${folder}/${file}`, "utf8"));
  });
}

/** Reads the head, the comment lines before the first statement, for marks that stand alone. */
export function parseMigration(version: number, name: string, sql: string): Migration {
  const label = labelOf({ version, name });
  if (!/^-- \S/.test(sql))
    throw new MigrationError(`migrations/${label}.sql must begin with a comment that says why`);
  const head = /^(?:--.*\n)+/.exec(sql)?.[0] ?? "";
  const steps = [...head.matchAll(/^-- (expand|contract)$/gm)].map(([, step]) => step);
  if (steps.length > 1)
    throw new MigrationError(`migrations/${label}.sql says expand or contract more than once`);
  const transaction = !/^-- no transaction$/m.test(head);
  if (!transaction) rejectUnrepeatable(label, sql);
  if (steps[0] === "expand" && version >= FIRST_CHECKED) rejectContraction(label, sql);
  // Files of releases before the marks keep the checksum under which they were applied.
  const judged = head.replace(/^-- (?:expand|contract)\n/gm, "") + sql.slice(head.length);
  return {
    version,
    name,
    sql,
    checksum: createHash("sha256").update(judged).digest("hex"),
    transaction,
    step: steps[0] as MigrationStep | undefined,
  };
}

export function labelOf({ version, name }: { version: number; name: string }): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}

/** A token that may hide a semicolon: a quoted text, a dollar-quoted body, or a comment. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'"$;/-]+|[\s\S]/g;

/** Splits SQL at the semicolons that end its statements. Drops comments. */
export function statementsOf(sql: string): string[] {
  const statements = [""];
  for (const [token] of sql.matchAll(TOKENS))
    if (token === ";") statements.push("");
    else if (!/^(?:--|\/\*)/.test(token)) statements.push((statements.pop() ?? "") + token);
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== "");
}

const CONCURRENT_INDEX =
  /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(IF\s+NOT\s+EXISTS\s+)?("[^"]+"|\w+)/i;

/** The index that a statement builds CONCURRENTLY, if it does. */
export function concurrentIndexOf(statement: string): string | undefined {
  return CONCURRENT_INDEX.exec(statement)?.[2]?.replaceAll('"', "");
}

/** Tells whether a statement waits for locks without blocking reads and writes behind it. */
export function isConcurrent(statement: string): boolean {
  return /^(?:CREATE\s+(?:UNIQUE\s+)?INDEX|DROP\s+INDEX|REINDEX\s+\w+)\s+CONCURRENTLY\b/i.test(
    statement,
  );
}

function rejectContraction(label: string, sql: string): void {
  const found = statementsOf(sql)
    .map(contractionOf)
    .find((part) => part !== undefined);
  if (found === undefined) return;
  throw new MigrationError(
    `migrations/${label}.sql says expand, but nodes of the last release may fail after ` +
      `"${found.split(/\s+/).slice(0, 8).join(" ")}". Let them work, or say contract once no ` +
      "release that needs it can be gone back to",
  );
}

function rejectUnrepeatable(label: string, sql: string): void {
  for (const statement of statementsOf(sql)) {
    const start = statement.split(/\s+/).slice(0, 6).join(" ");
    const built = CONCURRENT_INDEX.exec(statement);
    if (isConcurrent(statement) && /^CREATE/i.test(statement) && built?.[1] === undefined)
      throw new MigrationError(
        `migrations/${label}.sql runs without a transaction, so "${start} …" needs IF NOT ` +
          "EXISTS and a name: a retry runs it again",
      );
    if (/^(?:BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT)\b/i.test(statement))
      throw new MigrationError(
        `migrations/${label}.sql runs without a transaction and must not say ${start}`,
      );
  }
}
