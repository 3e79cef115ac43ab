import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answerOf, api } from "../api/client.ts";
import type { Engine } from "../api/types.ts";
import { addSample, type Sample } from "./time-series.ts";

const POLL_MS = 2_000;
const KEY = ["mine", "engine"];

type Seen = { engine: Engine; samples: readonly Sample[] };

/** Polls the engine. Keeps the last samples while the page is left, until the sign-out. */
export function useEngine() {
  const queries = useQueryClient();
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }): Promise<Seen> => {
      const engine = await answerOf(() => api.GET("/api/operator/engine", { signal }));
      const last = queries.getQueryData<Seen>(KEY);
      return { engine, samples: addSample(last?.samples ?? [], last?.engine, engine, POLL_MS) };
    },
    refetchInterval: POLL_MS,
    gcTime: Infinity,
  });
}
