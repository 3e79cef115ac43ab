import type { RefusalData } from "../../domain/refusal.ts";

/** So many (`max`) within so many seconds, under the name that clients see. */
export type Limit = { name: string; max: number; windowS: number };

/** `resetS`: whole seconds until there is room again, at least 1. */
export type RateLimitResult = { allowed: boolean; limit: Limit; remaining: number; resetS: number };

export function verdictOf(limit: Limit, used: number, msLeft: number): RateLimitResult {
  const resetS = Math.max(1, Math.ceil(msLeft / 1_000));
  return { allowed: used <= limit.max, limit, remaining: Math.max(0, limit.max - used), resetS };
}

/** RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers writes them; with a refusal also Retry-After (RFC 6585). */
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

/** What the problem document of a refusal says besides the word. */
export function throttledData({ limit, resetS }: RateLimitResult): RefusalData {
  return { limit: limit.name, retryAfterS: resetS };
}
