/**
 * Names of secret members, in JSON (also nested in strings), inspected objects, queries, headers.
 */
const NAMES =
  "(?:current|new|old)?_?passwords?|password_?hash|(?:access|refresh|internal|id)?_?token|secret|authorization|set-cookie|cookie";

const RULES: readonly (readonly [pattern: RegExp, by: string])[] = [
  [new RegExp(String.raw`(\\*")(${NAMES})\1\s*:\s*\1.*?(?<!\\)\1`, "gi"), "$1$2$1:$1[redacted]$1"],
  [new RegExp(String.raw`\b(${NAMES})(\s*[:=]\s*)'[^']*'`, "gi"), "$1$2'[redacted]'"],
  [new RegExp(String.raw`\b(${NAMES})=[^&\s"'\\]+`, "gi"), "$1=[redacted]"],
  // A signed token.
  [/eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*/g, "[redacted]"],
  // 256 random bits in base64url, such as a refresh token.
  [/([\s"'=])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{43}(?![\w-])/g, "$1[redacted]"],
  [/\$argon2\w*\$[^\s"'\\]*/g, "[redacted]"],
  // The password in a server's address.
  [/(:\/\/[^\s/:@"]*:)[^\s/@"]+@/g, "$1[redacted]@"],
];

/** A quick test for lines that a rule may apply to. Almost no line does. */
const SUSPECT =
  /[pP][aA][sS][sS][wW]|[tT][oO][kK][eE][nN]|[sS][eE][cC][rR][eE][tT]|[aA]uthoriz|[cC]ookie|eyJ|\$argon2|:\/\/[^\s/@"]*@/;
const LIKE_A_TOKEN = /[\s"'=][\w-]{43}[\s"'&;,\\]/;

/**
 * Redacts a finished log line: values of secret members, and texts like a token, a hash or a
 * server's password. A safety net; the code logs none on purpose.
 */
export function redacted(line: string): string {
  if (!SUSPECT.test(line) && !LIKE_A_TOKEN.test(line)) return line;
  let clean = line;
  for (const [pattern, by] of RULES) clean = clean.replace(pattern, by);
  return clean;
}
