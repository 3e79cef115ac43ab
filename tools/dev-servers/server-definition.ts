import type { DatabaseUrls } from "../../config/index.ts";
import type { Binaries } from "./binaries.ts";
import type { Place } from "./data-folders.ts";
import type { Report } from "./server-problem.ts";
import type { Supervised } from "./supervisor.ts";

/** A certificate and its key, PEM. */
export type ServerTls = { certFile: string; keyFile: string };

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
  /** PostgreSQL and RabbitMQ also speak TLS, for tests. */
  tls: ServerTls | undefined;
};

/** A running server: its address, and its processes, the main one first. */
export type RunningRecipe = {
  url: string;
  /** Of a database: its addresses by role. */
  roleUrls?: DatabaseUrls;
  /** By TLS, if that is another address. */
  tlsUrl?: string;
  processes: readonly [Supervised, ...Supervised[]];
  prometheusUrl?: string;
};
