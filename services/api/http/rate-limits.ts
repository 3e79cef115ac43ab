import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Redis } from "ioredis";
import { emailKeyOf } from "../../../domain/email-key.ts";
import type { Answer, RefusalCode } from "../../../domain/refusal.ts";
import {
  type CountedThrottle,
  createCountedThrottle,
  type Limit,
  type RateLimitResult,
} from "../../../lib/rate-limit/local-rate-limiter.ts";
import {
  createBackOff,
  createMarks,
  createSharedThrottle,
} from "../../../lib/rate-limit/redis-rate-limiter.ts";

/** Generous for people: an office may share one address, and buyers click fast. */
const LIMITS = {
  /** All requests: 300 per second, with a burst of ten seconds. */
  address: { name: "address", max: 3_000, windowS: 10 },
  search: { name: "search", max: 600, windowS: 10 },
  purchase: { name: "purchase", max: 60, windowS: 10 },
  /** Purchases and cancellations per user and event: ten tickets bought and cancelled twice. */
  churn: { name: "churn", max: 40, windowS: 600 },
  /** Exports of all of a person's data. */
  export: { name: "export", max: 10, windowS: 600 },
  registration: { name: "registration", max: 30, windowS: 600 },
  /** Requests for mails with links, by client, and by recipient: no mailbox is flooded. */
  linksOfAddress: { name: "links-address", max: 30, windowS: 600 },
  links: { name: "links", max: 5, windowS: 3_600 },
  /** Tries of links' tokens, which are 256 random bits: the limit saves work. */
  linkTokens: { name: "link-tokens", max: 60, windowS: 600 },
  /** Wrong passwords. */
  signInOfAddress: { name: "sign-in-address", max: 100, windowS: 600 },
  signIn: { name: "sign-in", max: 10, windowS: 900 },
} as const satisfies Record<string, Limit>;

const BACK_OFF = { firstS: 10, mostS: 900 };
/** Within the longest timer of Node, since a map in memory replaces Redis while it is down. */
const KNOWN_ADDRESS_S = 20 * 86_400;
const PURCHASES_MERGED_MS = 250;
const OTHERS_MERGED_MS = 1_000;

/** Names of rate limits. A route without one still counts for its address. */
export type ThrottleName =
  | "cancellation"
  | "confirmation"
  | "export"
  | "link-token"
  | "password"
  | "password-reset"
  | "purchase"
  | "registration"
  | "search"
  | "sign-in";

export type RateLimitSubject = {
  address: string;
  userId: string;
  params: Record<string, string>;
  body: Record<string, unknown>;
};

/** The result of a rate limit. `refundOrCharge` takes the outcome of the request; never rejects. */
export type RateLimitTicket = {
  verdict?: RateLimitResult;
  refundOrCharge?: (answer: Answer<unknown>) => Promise<void> | void;
};

export type Throttles = {
  /** Counts any request. */
  everything(address: string): RateLimitResult;
  /** A promise only for limits that are kept in Redis. */
  consume(
    name: ThrottleName,
    subject: RateLimitSubject,
  ): RateLimitTicket | Promise<RateLimitTicket>;
  close(): void;
};

/** Outcomes of a sign-in that do not depend on the password. */
const UNTRIED: ReadonlySet<RefusalCode> = new Set([
  "CSRF_REFUSED",
  "PASSWORD_TOO_WEAK",
  "TRY_AGAIN",
  "UNAUTHENTICATED",
  "VALIDATION_ERROR",
]);

/** Creates the rate limits of one gateway. Gateways share their counts in Redis. */
export function createThrottles(redis: Redis): Throttles {
  const everything = createCountedThrottle(redis, LIMITS.address, OTHERS_MERGED_MS);
  const searches = createCountedThrottle(redis, LIMITS.search, OTHERS_MERGED_MS);
  const purchases = createCountedThrottle(redis, LIMITS.purchase, PURCHASES_MERGED_MS);
  const churn = createCountedThrottle(redis, LIMITS.churn, PURCHASES_MERGED_MS);
  const counted: CountedThrottle[] = [everything, searches, purchases, churn];
  const exports = createSharedThrottle(redis, LIMITS.export);
  const registrations = createSharedThrottle(redis, LIMITS.registration);
  const addresses = createSharedThrottle(redis, LIMITS.signInOfAddress);
  const linksOfAddresses = createSharedThrottle(redis, LIMITS.linksOfAddress);
  const links = createSharedThrottle(redis, LIMITS.links);
  const linkTokens = createSharedThrottle(redis, LIMITS.linkTokens);
  const signIns = createBackOff(redis, LIMITS.signIn, BACK_OFF);
  const known = createMarks(redis, "sign-in-known", KNOWN_ADDRESS_S);

  /**
   * Counts an attempt for the address, then for the account: a blocked address cannot use up an
   * account's attempts. An address from which the owner has signed in has attempts of its own, so
   * that attackers cannot lock the owner out.
   */
  const countAttempt = async (account: string, address: string): Promise<RateLimitTicket> => {
    const byAddress = await addresses.take(address);
    if (!byAddress.allowed) return { verdict: byAddress };
    const ownKey = hashOf(`${account}|${address}`);
    const key = (await known.has(ownKey)) ? ownKey : hashOf(account);
    const verdict = await signIns.take(key);
    if (!verdict.allowed) return { verdict };
    return {
      // The account's remaining attempts would reveal that its owner has tried to sign in.
      verdict: byAddress,
      async refundOrCharge(answer) {
        if (answer.ok)
          await Promise.all([addresses.giveBack(address), signIns.forget(key), known.mark(ownKey)]);
        else if (UNTRIED.has(answer.refusal.code))
          await Promise.all([addresses.giveBack(address), signIns.giveBack(key)]);
      },
    };
  };

  /** Counts a request for a mail: for the client first, which alone cannot use up all others. */
  const countLink = async (recipient: string, address: string): Promise<RateLimitTicket> => {
    const byAddress = await linksOfAddresses.take(keyOfAddress(address));
    if (!byAddress.allowed) return { verdict: byAddress };
    return { verdict: await links.take(hashOf(recipient)) };
  };

  const consume = (
    name: ThrottleName,
    { address, userId, params, body }: RateLimitSubject,
  ): RateLimitTicket | Promise<RateLimitTicket> => {
    switch (name) {
      case "search":
        return { verdict: searches.take(keyOfAddress(address)) };
      case "purchase": {
        const pair = `${userId}:${params.eventId}`;
        const churned = churn.look(pair);
        if (!churned.allowed) return { verdict: churned };
        return {
          verdict: purchases.take(userId),
          refundOrCharge(answer) {
            if (isNewSale(answer)) churn.take(pair);
          },
        };
      }
      // Counted and never refused: a cancellation frees a place.
      case "cancellation":
        return {
          refundOrCharge(answer) {
            if (answer.ok) churn.take(`${userId}:${(answer.value as { eventId: string }).eventId}`);
          },
        };
      case "export":
        return exports.take(userId).then((verdict) => ({ verdict }));
      case "registration":
        return registrations.take(keyOfAddress(address)).then((verdict) => ({ verdict }));
      case "sign-in":
        return countAttempt(`email:${emailKeyOf(String(body.email))}`, keyOfAddress(address));
      case "password-reset":
        return countLink(`email:${emailKeyOf(String(body.email))}`, address);
      case "confirmation":
        return countLink(`user:${userId}`, address);
      case "link-token":
        return linkTokens.take(keyOfAddress(address)).then((verdict) => ({ verdict }));
      case "password":
        return countAttempt(`user:${userId}`, keyOfAddress(address));
      default:
        return name satisfies never;
    }
  };
  return {
    everything: (address) => everything.take(keyOfAddress(address)),
    consume: consume,
    close() {
      for (const throttle of counted) throttle.close();
    },
  };
}

function isNewSale(answer: Answer<unknown>): boolean {
  return answer.ok && !(answer.value as { replayed: boolean }).replayed;
}

/** E-mails are stored hashed in Redis. */
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** Counts IPv6 by network, since one customer has 2^64 addresses. */
export function keyOfAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("::");
  const [before, after] = [head, tail].map((part) => part.split(":").filter(Boolean)) as [
    string[],
    string[],
  ];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const network = [...before, ...zeros, ...after].slice(0, 4);
  return network.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}
