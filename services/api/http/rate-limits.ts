import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Redis } from "ioredis";
import { emailKeyOf } from "../../../domain/email-key.ts";
import type { Answer, RefusalCode } from "../../../domain/refusal.ts";
import {
  type CountedThrottle,
  createCountedThrottle,
} from "../../../lib/rate-limit/local-rate-limiter.ts";
import {
  createBackOff,
  createMarks,
  createSharedThrottle,
} from "../../../lib/rate-limit/redis-rate-limiter.ts";
import type { Limit, RateLimitResult } from "../../../lib/rate-limit/rate-limit.ts";

/** Generous to people: a whole office may share an address, and a buyer may click as fast as fingers can. */
const LIMITS = {
  /** Everything, 300 a second with a burst of ten seconds' worth. */
  address: { name: "address", max: 3_000, windowS: 10 },
  search: { name: "search", max: 600, windowS: 10 },
  purchase: { name: "purchase", max: 60, windowS: 10 },
  /** Purchases and cancellations that came about, of one user and event: a full hand of ten tickets can be bought and given back twice. */
  churn: { name: "churn", max: 40, windowS: 600 },
  registration: { name: "registration", max: 30, windowS: 600 },
  /** Wrong passwords. */
  signInOfAddress: { name: "sign-in-address", max: 100, windowS: 600 },
  signIn: { name: "sign-in", max: 10, windowS: 900 },
} as const satisfies Record<string, Limit>;

const BACK_OFF = { firstS: 10, mostS: 900 };
/** Within the longest time-out that Node's timers know, for the memory that stands in for Redis. */
const KNOWN_ADDRESS_S = 20 * 86_400;
const PURCHASES_MERGED_MS = 250;
const OTHERS_MERGED_MS = 1_000;

/** Which rule a route is under; what is under none is still counted by its address. */
export type ThrottleName =
  "cancellation" | "password" | "purchase" | "registration" | "search" | "sign-in";

export type RateLimitSubject = {
  address: string;
  userId: string;
  params: Record<string, string>;
  body: Record<string, unknown>;
};

/** Let in or not; `settle` is to hear what came of it. Never rejects. */
export type RateLimitTicket = {
  verdict?: RateLimitResult;
  refundOrCharge?: (answer: Answer<unknown>) => Promise<void> | void;
};

export type Throttles = {
  /** Counts a request of whatever kind. */
  everything(address: string): RateLimitResult;
  /** At once where the route must not wait for Redis. */
  consume(name: ThrottleName, asked: RateLimitSubject): RateLimitTicket | Promise<RateLimitTicket>;
  close(): void;
};

/** What a sign-in can end with that says nothing about the password. */
const UNTRIED: ReadonlySet<RefusalCode> = new Set([
  "CSRF_REFUSED",
  "PASSWORD_TOO_WEAK",
  "TRY_AGAIN",
  "UNAUTHENTICATED",
  "VALIDATION_ERROR",
]);

/** The throttles of one gateway; `redis` joins them with all others'. */
export function createThrottles(redis: Redis): Throttles {
  const everything = createCountedThrottle(redis, LIMITS.address, OTHERS_MERGED_MS);
  const searches = createCountedThrottle(redis, LIMITS.search, OTHERS_MERGED_MS);
  const purchases = createCountedThrottle(redis, LIMITS.purchase, PURCHASES_MERGED_MS);
  const churn = createCountedThrottle(redis, LIMITS.churn, PURCHASES_MERGED_MS);
  const counted: CountedThrottle[] = [everything, searches, purchases, churn];
  const registrations = createSharedThrottle(redis, LIMITS.registration);
  const addresses = createSharedThrottle(redis, LIMITS.signInOfAddress);
  const signIns = createBackOff(redis, LIMITS.signIn, BACK_OFF);
  const known = createMarks(redis, "sign-in-known", KNOWN_ADDRESS_S);

  /**
   * A password is tried: one of few for the account, and one of more for the address, whose refusal comes first so that a blocked address cannot
   * use up an account's. An address from which the owner has signed in has tries of its own, so that strangers cannot lock the owner out.
   */
  const tryPassword = async (account: string, address: string): Promise<RateLimitTicket> => {
    const ofAddress = await addresses.take(address);
    if (!ofAddress.allowed) return { verdict: ofAddress };
    const here = hashOf(`${account}|${address}`);
    const key = (await known.has(here)) ? here : hashOf(account);
    const verdict = await signIns.take(key);
    if (!verdict.allowed) return { verdict };
    return {
      // How many tries an account has left would tell strangers that its owner has been trying.
      verdict: ofAddress,
      async refundOrCharge(answer) {
        if (answer.ok)
          await Promise.all([addresses.giveBack(address), signIns.forget(key), known.mark(here)]);
        else if (UNTRIED.has(answer.refusal.code))
          await Promise.all([addresses.giveBack(address), signIns.giveBack(key)]);
      },
    };
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
      // Counts, and is never refused for it: the place is to come back.
      case "cancellation":
        return {
          refundOrCharge(answer) {
            if (answer.ok) churn.take(`${userId}:${(answer.value as { eventId: string }).eventId}`);
          },
        };
      case "registration":
        return registrations.take(keyOfAddress(address)).then((verdict) => ({ verdict }));
      case "sign-in":
        return tryPassword(`email:${emailKeyOf(String(body.email))}`, keyOfAddress(address));
      case "password":
        return tryPassword(`user:${userId}`, keyOfAddress(address));
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

/** No e-mail stands in Redis in the clear. */
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** One customer has 2^64 IPv6 addresses, so the network part is what counts. */
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
