/** The words after DROP in an ALTER TABLE that only allow more than before. */
const DROPS_A_RULE = /^(?:CONSTRAINT|NOT\s+NULL|DEFAULT|EXPRESSION|IDENTITY)\b/i;

/** What takes something away from nodes of the last release, or asks of them what they never do. */
const STATEMENTS = /^(?:DROP\s+(?!INDEX\b)|TRUNCATE\b|REVOKE\b)/i;
const CLAUSES: readonly RegExp[] = [
  /^(?:RENAME|SET\s+SCHEMA)\b/i,
  /\bSET\s+NOT\s+NULL\b/i,
  /^ALTER\s+(?:COLUMN\s+)?(?:"[^"]+"|\w+)\s+(?:SET\s+DATA\s+)?TYPE\b/i,
  /^ALTER\s+(?:COLUMN\s+)?(?:"[^"]+"|\w+)\s+DROP\s+DEFAULT\b/i,
];

/**
 * The statement if nodes of the last release may fail after it: undefined for one that only adds.
 * Does not see into functions and DO blocks, nor what a new constraint forbids: fault F23 runs both
 * revisions for that.
 */
export function contractionOf(statement: string): string | undefined {
  if (STATEMENTS.test(statement)) return statement;
  const [, rest] = /^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?\S+\s+([\s\S]*)$/i.exec(
    statement,
  ) ?? [undefined, ""];
  return clausesOf(rest ?? "").find(takesAway);
}

function takesAway(clause: string): boolean {
  const dropped = /^DROP\s+([\s\S]*)$/i.exec(clause)?.[1];
  if (dropped !== undefined) return !DROPS_A_RULE.test(dropped);
  const isNewColumn = /^ADD\b(?!\s+(?:CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN|EXCLUDE)\b)/i;
  if (isNewColumn.test(clause))
    return /\bNOT\s+NULL\b/i.test(clause) && !/\b(?:DEFAULT|GENERATED)\b/i.test(clause);
  return CLAUSES.some((pattern) => pattern.test(clause));
}

/** Splits the actions of an ALTER TABLE at the commas outside of brackets and quotes. */
function clausesOf(actions: string): string[] {
  const clauses = [""];
  let depth = 0;
  for (const [token] of actions.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"]/g)) {
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (token === "," && depth === 0) clauses.push("");
    else clauses.push((clauses.pop() ?? "") + token);
  }
  return clauses.map((clause) => clause.trim());
}
