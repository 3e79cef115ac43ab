/** Those that sign or derive; each must be a secret of its own. */
const SECRETS = ["INTERNAL_TOKEN_SECRET", "TRANSACTION_SECRET", "REFRESH_TOKEN_SECRET"];
/** Those that name servers, with whom the engine must sign in. */
const SERVER_URLS = ["DATABASE_URL", "REDIS_URL", "REDLOCK_URLS", "AMQP_URL", "TRANSPORTER"];

/** What documentation, examples and images call their secrets. */
const WELL_KNOWN =
  /change.?(?:me|it|this)|example|default|secret|password|passw0rd|insecure|dummy|qwerty|letmein|boxoffice|12345678/i;
const WELL_KNOWN_PASSWORDS = new Set([
  "guest",
  "postgres",
  "admin",
  "root",
  "redis",
  "nats",
  "rabbitmq",
  "password",
  "secret",
  "test",
  "changeme",
]);

/** Below this a text of 32 characters was typed, not drawn: 32 random hexadecimal digits have 128 bits and look like 105 or more. */
const BITS_MIN = 96;

/**
 * What must not be in production, in words; empty when nothing is. `environment` gives each variable, trimmed, undefined where it is unset.
 * No secret and no password is repeated in a message.
 */
export function productionProblems(environment: (name: string) => string | undefined): string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const name of SECRETS) {
    const text = environment(name);
    if (text === undefined) continue;
    const twin = seen.get(text);
    if (twin !== undefined)
      problems.push(`${name} is the same as ${twin}; each needs a secret of its own`);
    else if (isGuessable(text))
      problems.push(`${name} can be guessed; draw one: openssl rand -base64 48`);
    seen.set(text, name);
  }
  for (const name of SERVER_URLS) {
    const urls = (environment(name) ?? "").split(",").map((url) => url.trim());
    if (urls.some((url) => URL.canParse(url) && lacksCredentials(new URL(url))))
      problems.push(`${name} names a server without a password, or with one that everybody knows`);
  }
  const proxies = (environment("TRUSTED_PROXIES") ?? "").split(",").map((proxy) => proxy.trim());
  if (proxies.some((proxy) => /\/0+$/.test(proxy)))
    problems.push(
      "TRUSTED_PROXIES trusts every address: anybody could say who they are; name the proxies",
    );
  if (environment("AUDIT_FILE") === "/dev/null")
    problems.push("AUDIT_FILE=/dev/null would throw the audit trail away");
  return problems;
}

/** Words everybody knows, one piece repeated, a run along the alphabet, or too few different characters. */
function isGuessable(secret: string): boolean {
  if (WELL_KNOWN.test(secret) || /^(.{1,16}?)\1+$/s.test(secret)) return true;
  const codes = Array.from(secret, (character) => character.codePointAt(0) ?? 0);
  const steps = codes.filter(
    (code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1,
  ).length;
  return steps > codes.length / 2 || entropyBits(codes) < BITS_MIN;
}

/** Shannon's measure of the characters as they are: an upper bound of what the text can hide. */
function entropyBits(codes: readonly number[]): number {
  const counts = Map.groupBy(codes, (code) => code);
  return [...counts.values()].reduce(
    (bits, { length }) => bits - length * Math.log2(length / codes.length),
    0,
  );
}

/** NATS takes a token in the user's place. */
function lacksCredentials({ protocol, username, password }: URL): boolean {
  const secret = password === "" && protocol === "nats:" ? username : password;
  return secret === "" || WELL_KNOWN_PASSWORDS.has(decodeURIComponent(secret).toLowerCase());
}
