import { del, get, set } from "idb-keyval";
import type { QueryClient } from "@tanstack/react-query";
import type { Event, Ticket, User } from "../api/types.ts";
import { sessionState } from "../session/session.ts";
import { createStore } from "../session/store.ts";

/** Whose tickets are kept. Their pages need no more of an account. */
export type Holder = Pick<User, "id" | "name">;
/** The valid tickets of a person as they were, with their codes and events. */
export type KeptTickets = {
  holder: Holder;
  asOfMs: number;
  tickets: Ticket[];
  events: Event[];
};

const KEY = "boxoffice.tickets";
/** A browser whose database hangs must not keep the page from starting. */
const READ_TIMEOUT_MS = 500;

/** The person whose tickets this device keeps. Undefined if it keeps none. */
export const keptHolder = createStore<Holder | undefined>(undefined);

/** Keeps tickets on this device, in place of what was kept. Does nothing after a sign-out. */
export function keepTickets(kept: KeptTickets): void {
  const session = sessionState.get();
  if (session.state !== "signed-in" || session.user.id !== kept.holder.id) return;
  keptHolder.set(kept.holder);
  // A private window or a full disk: the tickets are only not kept.
  set(KEY, kept).catch(() => undefined);
}

/**
 * Shows the kept tickets until the gateway answers, and removes them once their owner is no longer
 * signed in: after a sign-out, the end of the session elsewhere, or another person's sign-in.
 */
export async function restoreTickets(queries: QueryClient): Promise<void> {
  sessionState.subscribe(() => void removeOthers());
  await removeOthers();
  if (sessionState.get().state === "signed-out") return;
  const timeout = new Promise<undefined>((resolve) => setTimeout(resolve, READ_TIMEOUT_MS));
  const kept = await Promise.race([readKept(), timeout]);
  if (kept === undefined || isOthers(kept.holder)) return;
  const { holder, asOfMs: updatedAt, tickets, events } = kept;
  const page = { items: tickets, nextCursor: null, keptAt: new Date(updatedAt).toISOString() };
  const data = { pages: [page], pageParams: [undefined] };
  queries.setQueryData(["mine", "tickets", "active"], data, { updatedAt });
  for (const event of events) queries.setQueryData(["event", event.id], event, { updatedAt });
  keptHolder.set(holder);
}

function readKept(): Promise<KeptTickets | undefined> {
  return get<KeptTickets>(KEY).catch(() => undefined);
}

/** Whether the visitor is known to be another person than the holder. */
function isOthers({ id }: Holder): boolean {
  const session = sessionState.get();
  return (
    session.state === "signed-out" || (session.state === "signed-in" && session.user.id !== id)
  );
}

async function removeOthers(): Promise<void> {
  const session = sessionState.get();
  const holder = keptHolder.get();
  if (holder !== undefined && isOthers(holder)) keptHolder.set(undefined);
  if (session.state === "signed-out") await del(KEY).catch(() => undefined);
  if (session.state !== "signed-in" || holder?.id === session.user.id) return;
  // Another tab may have kept tickets of the last person.
  const kept = await readKept();
  if (kept !== undefined && isOthers(kept.holder)) await del(KEY).catch(() => undefined);
}
