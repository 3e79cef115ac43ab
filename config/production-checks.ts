import { BlockList, isIPv6 } from "node:net";
import type { Environment } from "./environment.ts";
import { SERVER_URLS } from "./secret-files.ts";
import { isAddressRange } from "./validators.ts";

/** Secrets that sign or derive; each must differ from the others. */
const SECRETS = [
  "INTERNAL_TOKEN_SECRET",
  "TRANSACTION_SECRET",
  "REFRESH_TOKEN_SECRET",
  "MAIL_TOKEN_SECRET",
];

/** Words of secrets in documentation, examples and images. */
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

/** Addresses across each private network (RFC 1918, 6598, 4193). A list that has all has it all. */
const PRIVATE_NETWORKS = [
  ["10.0.0.0", "10.64.0.0", "10.128.0.0", "10.192.0.0", "10.255.255.255"],
  ["172.16.0.0", "172.20.0.0", "172.24.0.0", "172.28.0.0", "172.31.255.255"],
  ["192.168.0.0", "192.168.64.0", "192.168.128.0", "192.168.192.0", "192.168.255.255"],
  ["100.64.0.0", "100.80.0.0", "100.96.0.0", "100.112.0.0", "100.127.255.255"],
  ["fc00::", "fc80::", "fd00::", "fd80::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fd00::", "fd40::", "fd80::", "fdc0::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
];

/** 32 random hexadecimal digits measure 105 bits or more; below 96 a secret was typed. */
const BITS_MIN = 96;

/** Returns what production must not have. Messages repeat no secret and no password. */
export function productionProblems(environment: Environment): string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const name of SECRETS) {
    const text = environment[name];
    if (text === undefined) continue;
    const twin = seen.get(text);
    if (twin !== undefined)
      problems.push(`${name} is the same as ${twin}; each needs a secret of its own`);
    else if (isGuessable(text))
      problems.push(`${name} can be guessed; draw one: openssl rand -base64 48`);
    seen.set(text, name);
  }
  // Each must have credentials.
  for (const name of SERVER_URLS) {
    const urls = (environment[name] ?? "").split(",").map((url) => url.trim());
    if (urls.some((url) => URL.canParse(url) && lacksCredentials(new URL(url))))
      problems.push(`${name} names a server without a password, or with a well-known one`);
  }
  if (trustsWholeNetwork(environment.TRUSTED_PROXIES ?? ""))
    problems.push(
      "TRUSTED_PROXIES trusts every address, or a whole private network, so any client there " +
        "could claim another address; name the proxies",
    );
  if (environment.RATE_LIMITS === "off")
    problems.push("RATE_LIMITS=off is for load tests and refused in production");
  if (environment.AUDIT_FILE === "/dev/null")
    problems.push("AUDIT_FILE=/dev/null would discard the audit trail");
  return problems;
}

function trustsWholeNetwork(list: string): boolean {
  const trusted = new BlockList();
  const ranges = list.split(",").map((range) => range.trim());
  for (const range of ranges.filter(isAddressRange)) {
    const [address = "", prefix] = range.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) trusted.addAddress(address, family);
    else if (Number(prefix) === 0) return true;
    else trusted.addSubnet(address, Number(prefix), family);
  }
  return PRIVATE_NETWORKS.some((addresses) =>
    addresses.every((address) => trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4")),
  );
}

/** Well-known words, one piece repeated, a run along the alphabet, or too few characters. */
function isGuessable(secret: string): boolean {
  if (WELL_KNOWN.test(secret) || /^(.{1,16}?)\1+$/s.test(secret)) return true;
  const codes = Array.from(secret, (character) => character.codePointAt(0) ?? 0);
  const steps = codes.filter(
    (code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1,
  ).length;
  return steps > codes.length / 2 || entropyBits(codes) < BITS_MIN;
}

/** Shannon entropy of the characters: an upper bound of the secret's bits. */
function entropyBits(codes: readonly number[]): number {
  const counts = Map.groupBy(codes, (code) => code);
  return [...counts.values()].reduce(
    (bits, { length }) => bits - length * Math.log2(length / codes.length),
    0,
  );
}

/** NATS takes a token in the place of the user. */
function lacksCredentials({ protocol, username, password }: URL): boolean {
  const isNats = protocol === "nats:" || protocol === "tls:";
  const secret = password === "" && isNats ? username : password;
  return secret === "" || WELL_KNOWN_PASSWORDS.has(decodeURIComponent(secret).toLowerCase());
}
