import type { Binaries } from "./binaries.ts";
import type { Place } from "./data-folders.ts";
import type { Report } from "./server-problem.ts";
import type { Supervised } from "./supervisor.ts";

/** What each server's file gets. */
export type RecipeContext = {
  place: Place;
  binaries: Partial<Binaries>;
  report: Report;
  /** Start again what dies. */
  restart: boolean;
  /** Ends what is still starting. */
  abort: AbortSignal | undefined;
  /** The data is thrown away afterwards, so nothing needs to survive the loss of the machine: no fsync. */
  throwaway: boolean;
  /** RabbitMQ only: vhosts slot-1 … slot-N beside the default one, for tests that run beside each other. */
  slots: number;
};

/** A server that runs: where clients find it, and its processes, the main one first. */
export type RunningRecipe = {
  url: string;
  processes: readonly [Supervised, ...Supervised[]];
  prometheusUrl?: string;
};
