import { type Mutant, without } from "./mutant.ts";

const DECIDE = "domain/decide.ts";
const THROTTLES = "services/api/http/rate-limits.ts";
const IDS = "lib/ids.ts";
const BUY_ID = "`buy|${userId}|${eventId}|${key}`";

/** S1 to S7: what is sold, to whom, how often. */
export const SALES_MUTANTS: readonly Mutant[] = [
  without("the comparison with what is left", "S1: 500 at once for the last 10", [
    DECIDE,
    "state.available < command.quantity",
    "command.quantity < 1",
  ]),
  without(
    "the look whether a ticket is cancelled already",
    "S2: a ticket cancelled by many at once",
    [DECIDE, 'if (ticket.cancelled) return { type: "replay" };', ""],
    [
      "services/purchasing/store/event-store.sql.ts",
      "AND ticket.cancelled_at IS NULL AND fence.at",
      "AND fence.at",
    ],
  ),
  without("that a cancellation frees one place and no more", "S2: a place freed while others buy", [
    DECIDE,
    "state.available += 1;",
    "state.available += 2;",
  ]),
  without("the end of selling at the event's start", "S2: at the start of the event", [
    DECIDE,
    'if (nowMs >= state.startsAtMs) return refuse("EVENT_OVER");\n  const active',
    "const active",
  ]),
  without("the owner in the query for a ticket", "S3: another's ticket answers", [
    "services/purchasing/tickets/ticket-queries.ts",
    "ticket.id = $1 AND ticket.user_id = $2`",
    "ticket.id = $1 AND $2::uuid IS NOT NULL`",
  ]),
  without("what the customer holds already, in the limit", "S4: one account on 50 connections", [
    DECIDE,
    "active + command.quantity > limits",
    "command.quantity > limits",
  ]),
  without("the limit of purchases", "S5: a burst of purchases", [
    THROTTLES,
    'name: "purchase", max: 60,',
    'name: "purchase", max: 60_000,',
  ]),
  without("that gateways tell each other of searches", "S5: searches are counted together", [
    THROTTLES,
    "createCountedThrottle(redis, LIMITS.search, OTHERS_MERGED_MS)",
    "createCountedThrottle(redis, LIMITS.search, 1e9)",
  ]),
  without("the ceiling of an address", "S5: an address has a ceiling", [
    THROTTLES,
    "everything.take(keyOfAddress(address))",
    "everything.take(keyOfAddress(address) + String(Math.random()))",
  ]),
  without("that only named proxies are believed", "S5: X-Forwarded-For evades nothing", [
    "services/api/http/client-info.ts",
    "if (!isTrusted(peer)) return peer;",
    "",
  ]),
  without("that of many hops the last stranger counts", "S5: X-Forwarded-For evades nothing", [
    "services/api/http/client-info.ts",
    ".all(request, (entry, hop) => isTrustedHop(hopAddress(entry), hop))",
    ".all(request)",
  ]),
  without("the count of purchases that came about", "S6: buying and giving back", [
    THROTTLES,
    "if (isNewSale(answer)) churn.take(pair);",
    "void isNewSale(answer);",
  ]),
  without("that a key gives the same purchase", "S7: a key sells once", [
    IDS,
    BUY_ID,
    "`buy|${userId}|${eventId}|${key}|${Math.random()}`",
  ]),
  without("the person in a purchase's id", "S7: a key with another quantity", [
    IDS,
    BUY_ID,
    "`buy|${eventId}|${key}`",
  ]),
  without("the event in a purchase's id", "S7: a key with another quantity", [
    IDS,
    BUY_ID,
    "`buy|${userId}|${key}`",
  ]),
  without("the comparison of a repeated purchase's quantity", "S7: a key with another quantity", [
    DECIDE,
    "earlier.quantity === command.quantity ?",
    "earlier.quantity > 0 ?",
  ]),
];
