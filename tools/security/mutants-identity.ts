import { type Mutant, without } from "./mutant.ts";

const PASSWORDS = "services/auth/password-hashing.ts";
const SESSIONS = "services/auth/session-store.ts";
const STATEMENTS = "services/auth/session.sql.ts";
const ROUTES = "services/api/routes/auth.routes.ts";
const THROTTLES = "services/api/http/rate-limits.ts";
const STRENGTH = "services/auth/password-strength.ts";
const VERIFIER = "lib/auth/jwt.ts";
const COOKIE = "services/api/http/refresh-cookie.ts";
const AUTHORIZATION = "mixins/action.middleware.ts";

const HASH = "hash(normalized(password), PARAMETERS)";
const VERIFY = "verify(encoded ?? decoyHash, form)";
const CHECKED = "S13: are checked whole";
const COOKIES = "S16: the cookie is HttpOnly";
const SIGN_INS = "S17: what works by a cookie";
const OPERATORS = "S18: operators' actions refuse";

/** S8 to S18, S36, S40: passwords, tokens, sessions, who may call what, a person's own data. */
export const IDENTITY_MUTANTS: readonly Mutant[] = [
  without("the memory that a hash takes", "S8: stores argon2id", [
    PASSWORDS,
    "memoryCost: 19_456",
    "memoryCost: 4_096",
  ]),
  without("a salt for each hash", "S8: stores argon2id", [
    PASSWORDS,
    HASH,
    "hash(normalized(password), { ...PARAMETERS, salt: Buffer.alloc(16) })",
  ]),
  without("the bound of those who wait for a hash", "S8: lets a flood", [
    PASSWORDS,
    "waiting: WAITING_MAX",
    "waiting: Infinity",
  ]),
  without(
    "the least length",
    "S9: takes 12 to 128",
    ["services/api/routes/account.schemas.ts", "minLength: 12,", "minLength: 8,"],
    [PASSWORDS, "PASSWORD_MIN = 12", "PASSWORD_MIN = 8"],
  ),
  without(
    "the difference of capitals",
    "S9: takes 12 to 128",
    [PASSWORDS, HASH, "hash(normalized(password).toLowerCase(), PARAMETERS)"],
    [PASSWORDS, VERIFY, "verify(encoded ?? decoyHash, form.toLowerCase())"],
  ),
  without(
    "what is behind 72 bytes, as bcrypt would",
    "S9: takes 12 to 128",
    [PASSWORDS, HASH, "hash(normalized(password).slice(0, 72), PARAMETERS)"],
    [PASSWORDS, VERIFY, "verify(encoded ?? decoyHash, form.slice(0, 72))"],
  ),
  without("the judgement of passwords", "S10: refuses passwords", [
    STRENGTH,
    "score >= SCORE_MIN",
    "score >= 0",
  ]),
  without("one's own e-mail in the judgement", "S10: refuses passwords", [
    STRENGTH,
    '["boxoffice", ...about, ...parts]',
    '["boxoffice"]',
  ]),
  without("the bound of what is judged", "S10: a hundred ways", [
    STRENGTH,
    "JUDGED_MAX = 32",
    "JUDGED_MAX = 1_000",
  ]),
  without("the work for an account that is not there", "S11: gives nothing away", [
    PASSWORDS,
    `const isRight = await ${VERIFY};`,
    `if (encoded === undefined) return accepted(undefined);\n        const isRight = await ${VERIFY};`,
  ]),
  without("the one answer for unknown and wrong", "S11: gives nothing away", [
    PASSWORDS,
    "if (!found.ok) return found;",
    'if (!found.ok) return found;\n        if (found.value === undefined) return refused("UNAUTHENTICATED");',
  ]),
  without("the limit of wrong passwords of an account", "S12: ten wrong passwords", [
    THROTTLES,
    'name: "sign-in", max: 10,',
    'name: "sign-in", max: 1e6,',
  ]),
  without("the growth of the rest", "S12: the rest grows", [
    "lib/rate-limit/redis-rate-limiter.ts",
    "firstS * 2 ** (round - 1)",
    "firstS",
  ]),
  without("the tries of an address that the owner is known by", "S12: strangers cannot lock", [
    THROTTLES,
    "(await known.has(ownKey)) ? ownKey : hashOf(account)",
    "hashOf(account)",
  ]),
  without("the limit of wrong passwords from an address", "S12: an address that tries", [
    THROTTLES,
    'name: "sign-in-address", max: 100,',
    'name: "sign-in-address", max: 1e6,',
  ]),
  without("the limit of a password's change", "S12: a present password", [
    ROUTES,
    'throttle: "password",',
    "",
  ]),
  without("the signature", CHECKED, [
    VERIFIER,
    "complete = verify(token) as Complete;",
    `const part = (index: number) => JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString()) as never;
      complete = { header: part(0), payload: part(1), signature: token.split(".")[2] ?? "" };`,
  ]),
  without("the issuer", CHECKED, [VERIFIER, "allowedIss: options.issuer,", ""]),
  without("the audience", CHECKED, [VERIFIER, "allowedAud: options.audience,", ""]),
  without("the type", CHECKED, [VERIFIER, "checkTyp: options.type,", ""]),
  without("the expiry", CHECKED, [
    VERIFIER,
    "clockTolerance: leewayMs,",
    "ignoreExpiration: true,",
  ]),
  without("the members that must be there", CHECKED, [
    VERIFIER,
    '"role", "iat", "exp", ...options.claims]',
    '"role"]',
  ]),
  without("the role", CHECKED, [
    VERIFIER,
    "ROLES.find((candidate) => candidate === payload.role)",
    "payload.role as Role",
  ]),
  without("the one way to write a signature", CHECKED, [
    VERIFIER,
    'if (Buffer.from(signature, "base64url").toString("base64url") !== signature) return refused("UNAUTHENTICATED");',
    "",
  ]),
  without("that a used token has one successor", "S14: 20 refreshes at once", [
    STATEMENTS,
    "t.rotated_at IS NULL AND s.id",
    "s.id",
  ]),
  without("the ten seconds of the same successor", "S14: 20 refreshes at once", [
    SESSIONS,
    "GRACE_S = 10",
    "GRACE_S = 0",
  ]),
  without("the end of those ten seconds", "S14: a used token gives", [
    SESSIONS,
    "GRACE_S = 10",
    "GRACE_S = 10_000",
  ]),
  without("the end of the family", "S14: a used token gives", [
    SESSIONS,
    "await database.query({ text: END_BY_TOKEN, values: [hashOf(token)] });\n      onReuse(",
    "onReuse(",
  ]),
  without("the end by logout", "S15: logout ends", [
    STATEMENTS,
    "SET revoked_at = clock_timestamp()\nWHERE revoked_at IS NULL AND id = (",
    "SET revoked_at = NULL\nWHERE revoked_at IS NULL AND id = (",
  ]),
  without("that logout-all ends others' sessions too", "S15: logout-all ends", [
    STATEMENTS,
    "AND revoked_at IS NULL AND id IS DISTINCT FROM $2::uuid",
    "AND $2::uuid IS NOT NULL",
  ]),
  without("the end by a change of password", "S15: a change of password", [
    "services/auth/account-store.ts",
    "if (rows.length === 1) await sessions.endAll(account.id, keptSessionId, connection);",
    "",
  ]),
  without("the look at the password's present hash", "S15: no sign-in with the old", [
    STATEMENTS,
    "AND password_hash = $3 FOR SHARE",
    "AND $3::text IS NOT NULL",
  ]),
  without("the seven days", "S15: seven days", [
    STATEMENTS,
    "s.revoked_at IS NULL AND s.expires_at > clock_timestamp()",
    "s.revoked_at IS NULL",
  ]),
  without("HttpOnly", COOKIES, [COOKIE, "; HttpOnly", ""]),
  without("SameSite=Strict", COOKIES, [COOKIE, "; SameSite=Strict", "; SameSite=Lax"]),
  without("Secure", COOKIES, [COOKIE, 'secure ? "; Secure" : ""', '""']),
  without("the prefix __Secure-", COOKIES, [COOKIE, '"__Secure-refresh"', '"refresh"']),
  without("the hash in the table", COOKIES, [
    SESSIONS,
    'createHash("sha256").update(token).digest()',
    "Buffer.from(token)",
  ]),
  without("that a token in a cookie is in no body", COOKIES, [
    ROUTES,
    "client().secure) }, body: session }",
    "client().secure) }, body: { ...session, refreshToken } }",
  ]),
  without("the origin, for a cookie", SIGN_INS, [
    ROUTES,
    'if (foreign) return refused("CSRF_REFUSED");',
    "void foreign;",
  ]),
  without("the origin, for a sign-in", SIGN_INS, [
    ROUTES,
    'if (delivery === "cookie" && from.foreign) return refused("CSRF_REFUSED");',
    "",
  ]),
  without("Sec-Fetch-Site", SIGN_INS, [
    "services/api/http/client-info.ts",
    'if (site !== undefined && site !== "same-origin" && site !== "none") return true;',
    "void site;",
  ]),
  without("the type of an empty body", SIGN_INS, [
    "services/api/routing/parse-request.ts",
    "route.cookie && type !== undefined",
    "false && type !== undefined",
  ]),
  without("that an action without `auth` is closed", OPERATORS, [
    AUTHORIZATION,
    'if (auth === undefined) return async (ctx: Context) => refuse(ctx, "FORBIDDEN");',
    "if (auth === undefined) return next;",
  ]),
  without("the operator's role", OPERATORS, [
    AUTHORIZATION,
    'if (auth === "operator" && caller.value.role !== "operator") return refuse(ctx, "FORBIDDEN", caller.value);',
    "",
  ]),
  without("the internal token", OPERATORS, [
    AUTHORIZATION,
    'if (!caller.ok) return refuse(ctx, "UNAUTHENTICATED");',
    "if (!caller.ok) return next.call(this as never, ctx) as unknown;",
  ]),
  without("the closed list of paths", "S18: no action can be named", [
    "services/api/routing/routers.ts",
    'mappingPolicy: "restrict"',
    'mappingPolicy: "all"',
  ]),
  without("the normalization", "S36: signs in", [
    "services/auth/password-hashing.ts",
    'password.normalize("NFC")',
    "password",
  ]),
];
