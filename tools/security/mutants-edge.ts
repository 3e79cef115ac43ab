import { type Mutant, without } from "./mutant.ts";

const BODY = "services/api/routing/parse-request.ts";
const SERVER = "services/api/server/http-server.ts";
const EDGE = "services/api/server/edge-policy.ts";
const PROBLEM = "lib/http/problem-details.ts";
const VALIDATION = "services/api/routing/schema-validator.ts";
const REDACTION = "lib/observability/redaction.ts";
const GUARD = "config/production-checks.ts";

const BAD_INPUT = "S20: bad input";
const HEADERS = "S25: pages, API and errors";
const REDACTED = "S28: what looks like a secret";

/** S19 to S38: requests, headers, logs, doors, starts. */
export const EDGE_MUTANTS: readonly Mutant[] = [
  without("the closed list of members", "S19: no field", [
    "services/api/routing/route.ts",
    '{ type: "object", additionalProperties: false, required, properties }',
    '{ type: "object", required, properties } as unknown as ObjectSchema',
  ]),
  without("the check of UTF-8", BAD_INPUT, [
    BODY,
    'if (!isUtf8(sent)) return { ok: false, code: "MALFORMED" };',
    "",
  ]),
  without("the check for NUL and half characters", BAD_INPUT, [
    VALIDATION,
    'text.includes("\\0") || !text.isWellFormed()',
    "false",
  ]),
  without("the check for a parameter given twice", BAD_INPUT, [
    "services/api/routing/parse-request.ts",
    'if (name in values) broken.push({ field: plainName(name), rule: "duplicate" });',
    "",
  ]),
  without("the bound of bodies", "S21: bodies over", [
    BODY,
    "BODY_MAX = 65_536",
    "BODY_MAX = 6_553_600",
  ]),
  without("the bound of headers", "S21: header floods", [
    SERVER,
    "HEADER_BYTES_MAX = 16_384",
    "HEADER_BYTES_MAX = 1_638_400",
  ]),
  without("the wait for headers and bodies", "S21: who sends", [
    SERVER,
    "headersTimeout: REQUEST_MS,\n  requestTimeout: REQUEST_MS,",
    "headersTimeout: 0,\n  requestTimeout: 0,",
  ]),
  without("the wait for bodies of HTTP/2", "S21: who sends", [
    SERVER,
    "request.stream.close(constants.NGHTTP2_CANCEL)",
    "undefined",
  ]),
  without("the other methods in Allow", "S22: every other method", [
    "services/api/routing/compile-route.ts",
    '[...byMethod.keys(), ...(get ? ["HEAD"] : []), "OPTIONS"].join(", ")',
    '"GET"',
  ]),
  without("the media type", "S22: every other method", [
    BODY,
    '!isJson(headers["content-type"]) || (headers',
    "(headers",
  ]),
  without("the problem document of an unknown path", "S23: every error", [
    "services/api/api.service.ts",
    'await sendPlain(request, response, page ?? problemOf("NOT_FOUND", requestIdIn(response)));',
    'response.writeHead(404).end("Cannot find " + String(request.url));',
  ]),
  without("the type of problem documents", "S23: every error", [
    PROBLEM,
    '"Content-Type": "application/problem+json"',
    '"Content-Type": "application/json"',
  ]),
  without("the closed list of a validation's facts", "S23: every error", [
    VALIDATION,
    "return { field: instancePath.slice(1), rule: keyword };",
    "return { field: instancePath.slice(1), rule: keyword, ...{ schema: params } };",
  ]),
  without("TLS 1.2 as the least", "S24: TLS 1.2 and 1.3", [
    SERVER,
    'minVersion: "TLSv1.2",\n',
    'minVersion: "TLSv1",\n  ciphers: "ALL:@SECLEVEL=0",\n',
  ]),
  without("the refusal of plain HTTP on the port of TLS", "S24: plain HTTP on the port", [
    SERVER,
    "socketOfPeer.get(peerOf(socket))",
    "socket",
  ]),
  without("the refusal to listen beyond loopback", "S24: does not listen", [
    "config/network.ts",
    "!isLoopback && !hasTls && TRUSTED_PROXIES.length === 0",
    "false",
  ]),
  without("the refusal to start on a public address", "S24: a public address", [
    "config/network.ts",
    "!isLoopback && !hasTls && TRUSTED_PROXIES.length === 0",
    "false",
  ]),
  without("the refusal of plain HTTP from afar", "S24: behind a named proxy", [
    EDGE,
    'if (transport === "exposed") {',
    'if (transport === ("never" as string)) {',
  ]),
  without("the renewal of certificates", "S24: a certificate that changes", [
    "services/api/server/tls-reload.ts",
    "renewed(tls);",
    "",
  ]),
  without("the trial of a new certificate", "S24: a certificate that changes", [
    "services/api/server/tls-reload.ts",
    'if (typeof tls === "string" || reason !== undefined) {',
    'if (typeof tls === "string") {',
  ]),
  without("HSTS", HEADERS, [
    EDGE,
    'transport === "secure" ? SECURE_HEADERS : NO_HEADERS',
    "NO_HEADERS",
  ]),
  without("Referrer-Policy", HEADERS, [PROBLEM, '"Referrer-Policy": "no-referrer",', ""]),
  without("nosniff", HEADERS, [PROBLEM, '"X-Content-Type-Options": "nosniff",', ""]),
  without("COOP", HEADERS, [PROBLEM, '"Cross-Origin-Opener-Policy": "same-origin",', ""]),
  without("frame-ancestors of the API's CSP", HEADERS, [PROBLEM, "frame-ancestors 'none'; ", ""]),
  without("object-src of the page's CSP", HEADERS, [
    "services/api/pages/web-pages.ts",
    "frame-ancestors 'none'; object-src 'none'",
    "frame-ancestors 'none'",
  ]),
  without("the comparison of whole origins", "S26: other origins", [
    EDGE,
    "!listed.has(origin)",
    "![...listed].some((known) => origin.startsWith(known))",
  ]),
  without("no-store", "S27: a caller's answers", [
    "services/api/handling/handle-request.ts",
    'route.cache ?? "no-store"',
    'route.cache ?? "max-age=60"',
  ]),
  without("the person in the query for tickets", "S27: a caller's answers", [
    "services/purchasing/tickets/ticket-list.ts",
    "WHERE ticket.user_id = ${userId} AND",
    "WHERE ${userId} IS NOT NULL AND",
  ]),
  without("the line of a sign-in", "S28: a line for each sign-in", [
    "services/api/routes/auth.routes.ts",
    'audit: "sign-in",',
    "",
  ]),
  without("the line of a purchase", "S28: a line for each sign-in", [
    "services/api/routes/ticket.routes.ts",
    'audit: "purchase",',
    "",
  ]),
  without("the line of an operator's act", "S28: a line for each act", [
    "mixins/action.middleware.ts",
    'audit({ ...act, outcome: answer.ok ? "ok" : answer.refusal.code });',
    "",
  ]),
  without("the line of a refusal on the bus", "S28: a line for each act", [
    "mixins/action.middleware.ts",
    'audit({ what: "access", outcome: code, action: name, from: plainText(senderOf(ctx)), ...askedBy(ctx), ...caller });',
    "void caller;",
  ]),
  without("that only a well-formed e-mail is logged", "S28: no client can forge", [
    "services/api/handling/audit-entry.ts",
    'email?.includes("@") === true ? plainText(email) : undefined',
    "email",
  ]),
  without("the request's id in statements", "S28: from the edge", [
    "lib/ids.ts",
    "? requests.run(requestId, work) : work()",
    "? work() : work()",
  ]),
  without("the rule for signed tokens", REDACTED, [
    REDACTION,
    '[/eyJ[\\w-]{5,}\\.[\\w-]+\\.?[\\w-]*/g, "[redacted]"],',
    "",
  ]),
  without("the rule for hashes", REDACTED, [
    REDACTION,
    '[/\\$argon2\\w*\\$[^\\s"\'\\\\]*/g, "[redacted]"],',
    "",
  ]),
  without("a server's password", "S29: does not start in production", [
    GUARD,
    'return secret === "" || WELL_KNOWN_PASSWORDS.has(decodeURIComponent(secret).toLowerCase());',
    "return false;",
  ]),
  without("the silence about what is behind", "S29: /readyz names no host", [
    "lib/http/health.ts",
    "problemsOf(kind, await resultOf(check))",
    "problemsOf(`${kind} on 127.0.0.1`, await resultOf(check))",
  ]),
  without("the 404 of what is not in the contract", "S29: metrics and management", [
    "services/api/routes/health.routes.ts",
    '{ path: "/healthz",',
    '{ path: "/metrics", answer: () => Promise.resolve(ALIVE) },\n    { path: "/healthz",',
  ]),
  without("the look for a trial's events", "S29, S30: has no demo user", [
    "tools/engine/prepare.ts",
    "if (config.production) await refuseDemoEvents(urls.DATABASE_URL);",
    "void refuseDemoEvents;",
  ]),
  without("that production has no demo catalog", "S29, S30: has no demo user", [
    "tools/engine/start-engine.ts",
    'if (config.production || !config.services.includes("catalog")) return "not shown";',
    "",
  ]),
  without("the limits in the process", "S30: without Redis", [
    "lib/rate-limit/redis-rate-limiter.ts",
    "insuranceLimiter: new RateLimiterMemory(options),",
    "insuranceLimiter: new RateLimiterMemory({ ...options, points: 1e9 }),",
  ]),
  without(
    "that production has no default of secrets",
    "S30: does not start in production without every secret",
    ["config/index.ts", "if (!production) return generatedSecret(", "return generatedSecret("],
  ),
  without("the judgement of secrets", "S30: does not start in production with secrets", [
    GUARD,
    "return steps > codes.length / 2 || entropyBits(codes) < BITS_MIN;",
    "return steps < 0;",
  ]),
  without("the refusal of RATE_LIMITS=off", "S30: does not start in production with limits off", [
    GUARD,
    'if (environment.RATE_LIMITS === "off")',
    "if (false)",
  ]),
  without("that all is said at once", "S30: says everything", [
    "config/index.ts",
    "if (problems.length > 0) throw new ConfigError(problems);",
    "if (problems.length > 0) throw new ConfigError(problems.slice(0, 1));",
  ]),
  without("the catch around all requests", "S31: an exception in a request", [
    "services/api/api.service.ts",
    "this.errorHandler(request, response, error as Error);",
    "throw error;",
  ]),
  without("the end of quiet connections", "S32: a connection is closed", [
    "services/api/server/connections.ts",
    "open.size === 0 && quietSinceMs < dueMs",
    "false",
  ]),
  without("the bound of the response cache in bytes", "S34: distinct queries", [
    "services/api/handling/response-cache.ts",
    "{ maxSize: bytesMax, sizeCalculation: sizeOf }",
    "{ maxSize: 1_000 * bytesMax, sizeCalculation: sizeOf }",
  ]),
  without("the letters that are removed from a feed", "S38: hostile feeds", [
    "tools/feeds/readable-text.ts",
    '.replace(INVISIBLE, "")',
    "",
  ]),
];
