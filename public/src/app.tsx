import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { setPrefetch } from "./api/client.ts";
import { asProblem, isRetryable } from "./api/problem.ts";
import type { Event } from "./api/types.ts";
import { startTexts } from "./locales/i18n.ts";
import type { Texts } from "./locales/languages.ts";
import { keptHolder, restoreTickets } from "./offline/kept-tickets.ts";
import { registerServiceWorker } from "./offline/register.ts";
import type { Prefetch } from "./prefetch.ts";
import { Pages } from "./router.tsx";
import { restoreSession } from "./session/restore-session.ts";
import { sessionState } from "./session/session.ts";

const RETRIES_MAX = 4;
/** The painted page stays so long for the event's data at most. */
const SEED_WAIT_MS = 1_000;

/** Starts the app. Called once by `main.ts`, with what it has fetched so far. */
export async function start(
  language: string,
  texts: Promise<Texts>,
  prefetch: Prefetch | undefined,
): Promise<void> {
  if (prefetch !== undefined) setPrefetch(prefetch);
  void restoreSession();
  await startTexts(language, await texts);
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (failures, error) => failures < RETRIES_MAX && isRetryable(asProblem(error)),
        retryDelay: (failures, error) =>
          Math.max(asProblem(error).retryAfterMs ?? 0, 500 * 2 ** failures),
      },
    },
  });
  await restoreTickets(queries);
  await seedEvent(queries, prefetch);
  // Drops the data of one user before another signs in on the same device.
  let userId = currentUserId() ?? keptHolder.get()?.id;
  sessionState.subscribe(() => {
    const { state } = sessionState.get();
    if (state === "restoring" || state === "delayed") return;
    if (userId !== undefined && currentUserId() !== userId)
      queries.removeQueries({ queryKey: ["mine"] });
    userId = currentUserId();
  });
  const element = document.getElementById("app");
  if (element === null) throw new Error("The page has no element #app");
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Pages />
      </QueryClientProvider>
    </StrictMode>,
  );
  registerServiceWorker();
}

/**
 * Shows the event at once, so that the painted page is followed by the same words. The page reads
 * it again by the same prefetch.
 */
async function seedEvent(queries: QueryClient, prefetch: Prefetch | undefined): Promise<void> {
  const [, eventId] = /^\/api\/events\/([^/?]+)$/.exec(prefetch?.path ?? "") ?? [];
  if (prefetch === undefined || eventId === undefined) return;
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, SEED_WAIT_MS));
  const response = await Promise.race([prefetch.response.catch(() => undefined), late]);
  if (response?.ok !== true) return;
  const event = (await response.clone().json()) as Event;
  queries.setQueryData(["event", eventId], event, { updatedAt: 1 });
}

function currentUserId(): string | undefined {
  const session = sessionState.get();
  return session.state === "signed-in" ? session.user.id : undefined;
}
