import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "../api/client.ts";
import type { Engine } from "../api/types.ts";
import { SAMPLES_MAX, type Sample, nextSample } from "./time-series.ts";

const POLL_MS = 2_000;

/** Polls the engine and keeps the samples of the last two minutes. */
export function useEngine() {
  const query = useQuery({
    queryKey: ["mine", "engine"],
    queryFn: ({ signal }) => answerOf(() => api.GET("/api/operator/engine", { signal })),
    refetchInterval: POLL_MS,
  });
  const [history, setHistory] = useState<{ last: Engine | undefined; samples: readonly Sample[] }>({
    last: undefined,
    samples: [],
  });
  const { data } = query;
  if (data !== undefined && data !== history.last)
    setHistory(({ last, samples }) => ({
      last: data,
      samples: [...samples, nextSample(last, data)].slice(-SAMPLES_MAX),
    }));
  return { ...query, samples: history.samples };
}
