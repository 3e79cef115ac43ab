import type { RefusalData } from "../../domain/refusal.ts";

/** `max` requests within `windowS` seconds. Clients see the name. */
export type Limit = { name: string; max: number; windowS: number };

/** `resetS`: seconds until the window ends, at least 1. */
export type RateLimitResult = { allowed: boolean; limit: Limit; remaining: number; resetS: number };

export function verdictOf(limit: Limit, used: number, msLeft: number): RateLimitResult {
  const resetS = Math.max(1, Math.ceil(msLeft / 1_000));
  return { allowed: used <= limit.max, limit, remaining: Math.max(0, limit.max - used), resetS };
}

/** RateLimit headers (draft-ietf-httpapi-ratelimit-headers), with Retry-After for a refusal. */
export function rateLimitHeaders({
  allowed,
  limit,
  remaining,
  resetS,
}: RateLimitResult): Record<string, string> {
  const headers = {
    "RateLimit-Policy": `"${limit.name}";q=${limit.max};w=${limit.windowS}`,
    RateLimit: `"${limit.name}";r=${remaining};t=${resetS}`,
  };
  return allowed ? headers : { ...headers, "Retry-After": String(resetS) };
}

/** Members of the problem document of a refusal. */
export function throttledData({ limit, resetS }: RateLimitResult): RefusalData {
  return { limit: limit.name, retryAfterS: resetS };
}
