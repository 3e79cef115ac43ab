/**
 * Members whose text is secret: in JSON (also inside a string), in an inspected object, in a query,
 * in a copied header.
 */
const NAMES =
  "(?:current|new|old)?_?passwords?|password_?hash|(?:access|refresh|internal|id)?_?token" +
  "|secret|authorization|set-cookie|cookie";

const RULES: readonly (readonly [pattern: RegExp, by: string])[] = [
  [new RegExp(String.raw`(\\*")(${NAMES})\1\s*:\s*\1.*?(?<!\\)\1`, "gi"), "$1$2$1:$1[redacted]$1"],
  [new RegExp(String.raw`\b(${NAMES})(\s*[:=]\s*)'[^']*'`, "gi"), "$1$2'[redacted]'"],
  [new RegExp(String.raw`\b(${NAMES})=[^&\s"'\\]+`, "gi"), "$1=[redacted]"],
  // A signed token, ours or another issuer's.
  [/eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*/g, "[redacted]"],
  // 256 random bits in base64url, such as a refresh token.
  [/([\s"'=])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{43}(?![\w-])/g, "$1[redacted]"],
  [/\$argon2\w*\$[^\s"'\\]*/g, "[redacted]"],
  // The password in a server's address.
  [/(:\/\/[^\s/:@"]*:)[^\s/@"]+@/g, "$1[redacted]@"],
];

/**
 * Matches what any of the rules could apply to. Few lines match, and two quick passes find out: the
 * line of every purchase passes here.
 */
const SUSPECT = new RegExp(
  [
    "[pP][aA][sS][sS][wW]|[tT][oO][kK][eE][nN]|[sS][eE][cC][rR][eE][tT]",
    String.raw`[aA]uthoriz|[cC]ookie|eyJ|\$argon2|:\/\/[^\s/@"]*@`,
  ].join("|"),
);
const LIKE_A_TOKEN = /[\s"'=][\w-]{43}[\s"'&;,\\]/;

/**
 * Redacts a finished log line: values of members with a secret's name, and texts that look like a
 * token, a hash or a server's password. A safety net under code that logs no secret on purpose.
 */
export function redacted(line: string): string {
  if (!SUSPECT.test(line) && !LIKE_A_TOKEN.test(line)) return line;
  let clean = line;
  for (const [pattern, by] of RULES) clean = clean.replace(pattern, by);
  return clean;
}
