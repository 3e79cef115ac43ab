import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { answerEarly } from "./api/client.ts";
import { asProblem, isPassing } from "./api/problem.ts";
import type { Early } from "./prefetch.ts";
import type { Texts } from "./locales/languages.ts";
import { startTexts } from "./locales/i18n.ts";
import { resume, who } from "./session/session.ts";
import { Pages } from "./router.tsx";

const TRIES = 4;

/** Called once by `main.ts`, with what it has asked for in the meantime. */
export async function start(
  language: string,
  texts: Promise<Texts>,
  early: Early | undefined,
): Promise<void> {
  if (early !== undefined) answerEarly(early);
  void resume();
  await startTexts(language, await texts);
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (failures, error) => failures < TRIES && isPassing(asProblem(error)),
        retryDelay: (failures, error) =>
          Math.max(asProblem(error).retryAfterMs ?? 0, 500 * 2 ** failures),
      },
    },
  });
  // What one person has seen is nothing for the next at this keyboard.
  let userId = userIdNow();
  who.subscribe(() => {
    if (userId !== undefined && userIdNow() !== userId)
      queries.removeQueries({ queryKey: ["mine"] });
    userId = userIdNow();
  });
  const element = document.getElementById("app");
  if (element === null) throw new Error("The page has no place for the app");
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Pages />
      </QueryClientProvider>
    </StrictMode>,
  );
}

function userIdNow(): string | undefined {
  const now = who.get();
  return now.state === "signed-in" ? now.user.id : undefined;
}
