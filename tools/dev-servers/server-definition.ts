import type { Binaries } from "./binaries.ts";
import type { Place } from "./data-folders.ts";
import type { Report } from "./server-problem.ts";
import type { Supervised } from "./supervisor.ts";

/** What a server's start function gets. */
export type RecipeContext = {
  place: Place;
  binaries: Partial<Binaries>;
  report: Report;
  /** Restart a server that dies. */
  restart: boolean;
  /** Ends a start. */
  abort: AbortSignal | undefined;
  /** The data is deleted afterwards: no fsync. */
  throwaway: boolean;
  /** Vhosts slot-1 … slot-N of RabbitMQ, for tests that run at the same time. */
  slots: number;
};

/** A running server: its address, and its processes, the main one first. */
export type RunningRecipe = {
  url: string;
  processes: readonly [Supervised, ...Supervised[]];
  prometheusUrl?: string;
};
