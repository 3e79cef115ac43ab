import type { Places, Rows, Sample } from "../rows.ts";
import { groupBy, type Violation } from "./violation.ts";

/** Checks I1 and the running form of I4 for one moment. */
export function checkPlaces(
  { event, total, active, available, capacity, unbooked }: Places,
  when: string,
): Violation[] {
  const violations: Violation[] = [];
  if (active > total)
    violations.push({
      invariant: "I1",
      text: `${when}: ${active} active tickets of ${total} places of event ${event}`,
    });
  if (capacity + unbooked !== total - active)
    violations.push({
      invariant: "I4",
      text:
        `${when}: event ${event} has capacity ${capacity} and unbooked rows ${unbooked}, ` +
        `which is not ${total} − ${active}`,
    });
  if (available !== null && available !== total - active)
    violations.push({
      invariant: "I12",
      text: `${when}: ${available} of event ${event} can be sold, which is not ${total} − ${active}`,
    });
  return violations;
}

/** I1 for customers: no customer holds more tickets of an event than the limit. */
export function checkLimits({ tickets }: Pick<Rows, "tickets">, limit: number): Violation[] {
  const active = tickets.filter(({ cancelled }) => !cancelled);
  return [...groupBy(active, ({ event, user }) => `${user} holds ${event}`)]
    .filter(([, held]) => held.length > limit)
    .map(([who, held]) => ({
      invariant: "I1",
      text: `${who}: ${held.length} active tickets where ${limit} are allowed`,
    }));
}

/** Reports each event's first bad sample of a kind, with the number of bad samples. */
export function checkSamples(samples: readonly Sample[], beganMs: number): Violation[] {
  const first = new Map<string, Violation & { count: number }>();
  for (const sample of samples)
    for (const violation of checkPlaces(
      sample,
      `after ${((sample.atMs - beganMs) / 1_000).toFixed(1)} s`,
    )) {
      const name = `${violation.invariant} ${sample.event}`;
      const known = first.get(name);
      if (known === undefined) first.set(name, { ...violation, count: 1 });
      else known.count += 1;
    }
  return [...first.values()].map(({ invariant, text, count }) => ({
    invariant,
    text: `${text} (in ${count} samples)`,
  }));
}

/** I4 at rest. `available`: the copy in Redis, undefined if a reader would not trust it. */
export function checkQuiet(
  { event, total, active, capacity, waiting }: Places,
  available: number | undefined,
): Violation[] {
  const violations: Violation[] = [];
  if (waiting !== 0)
    violations.push({ invariant: "I7", text: `${waiting} rows of event ${event} are not booked` });
  if (capacity !== total - active)
    violations.push({
      invariant: "I4",
      text: `when quiet: capacity ${capacity} is not ${total} − ${active} of event ${event}`,
    });
  if (available !== undefined && available !== capacity)
    violations.push({
      invariant: "I4",
      text: `when quiet: Redis says ${available} where ${capacity} are left of event ${event}`,
    });
  return violations;
}

/** I6: compares the places before with what selling out has sold. */
export function checkSoldOut(before: Places, sold: number, after: Places): Violation[] {
  const rest = before.total - before.active;
  if (sold === rest && after.active === after.total) return [];
  return [
    {
      invariant: "I6",
      text:
        `event ${before.event} had ${rest} places left, ${sold} were sold until it was sold out; ` +
        `now ${after.active} of ${after.total} are taken`,
    },
  ];
}
