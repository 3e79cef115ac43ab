import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "../api/client.ts";
import type { Engine } from "../api/types.ts";
import { MOMENTS_KEPT, type Moment, nextMoment } from "./time-series.ts";

const EVERY_MS = 2_000;

/** The engine now, and the figures of the last two minutes. */
export function useEngine() {
  const found = useQuery({
    queryKey: ["mine", "engine"],
    queryFn: ({ signal }) => answerOf(() => api.GET("/api/operator/engine", { signal })),
    refetchInterval: EVERY_MS,
  });
  const [seen, setSeen] = useState<{ last: Engine | undefined; moments: readonly Moment[] }>({
    last: undefined,
    moments: [],
  });
  const { data } = found;
  if (data !== undefined && data !== seen.last)
    setSeen(({ last, moments }) => ({
      last: data,
      moments: [...moments, nextMoment(last, data)].slice(-MOMENTS_KEPT),
    }));
  return { ...found, moments: seen.moments };
}
