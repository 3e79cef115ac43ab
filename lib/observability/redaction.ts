/** Members whose text is nobody's business, in JSON (also JSON inside a string), in an inspected object, in a query or in a header's copy. */
const NAMES =
  "(?:current|new|old)?_?passwords?|password_?hash|(?:access|refresh|internal|id)?_?token|secret|authorization|set-cookie|cookie";

const RULES: readonly (readonly [pattern: RegExp, by: string])[] = [
  [new RegExp(String.raw`(\\*")(${NAMES})\1\s*:\s*\1.*?(?<!\\)\1`, "gi"), "$1$2$1:$1[redacted]$1"],
  [new RegExp(String.raw`\b(${NAMES})(\s*[:=]\s*)'[^']*'`, "gi"), "$1$2'[redacted]'"],
  [new RegExp(String.raw`\b(${NAMES})=[^&\s"'\\]+`, "gi"), "$1=[redacted]"],
  // A signed token of ours or of anybody's.
  [/eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*/g, "[redacted]"],
  // 256 random bits in base64url, as refresh tokens are.
  [/([\s"'=])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{43}(?![\w-])/g, "$1[redacted]"],
  [/\$argon2\w*\$[^\s"'\\]*/g, "[redacted]"],
  // The password in the address of a server.
  [/(:\/\/[^\s/:@"]*:)[^\s/@"]+@/g, "$1[redacted]@"],
];

/** What any of the rules could apply to. Nearly no line is suspect, and two quick passes say so: every purchase's line goes through them. */
const SUSPECT =
  /[pP][aA][sS][sS][wW]|[tT][oO][kK][eE][nN]|[sS][eE][cC][rR][eE][tT]|[aA]uthoriz|[cC]ookie|eyJ|\$argon2|:\/\/[^\s/@"]*@/;
const LIKE_A_TOKEN = /[\s"'=][\w-]{43}[\s"'&;,\\]/;

/**
 * Takes out of a finished line of a log what must never be in one, whatever put it there: the values of members with a secret's name, and
 * texts that look like a token, a hash or a server's password. A net under the code, which logs no such thing on purpose.
 */
export function redacted(line: string): string {
  if (!SUSPECT.test(line) && !LIKE_A_TOKEN.test(line)) return line;
  let clean = line;
  for (const [pattern, by] of RULES) clean = clean.replace(pattern, by);
  return clean;
}
