import type { Answer } from "../../domain/refusal.ts";

/** The action that takes a list of commands, and the one that gives the results still missing. */
export const SUBMIT = "purchasing.submit";
export const COLLECT = "purchasing.collect";

/**
 * Commands in one list. A command with its token, key and ids has at most 1.5 kB, so a list is less
 * than half of the megabyte that NATS carries.
 */
export const LIST_MAX = 250;

/** A command in a list, with all that a call of its own would carry. */
export type ListedCommand = {
  action: "purchasing.buy" | "purchasing.cancel";
  params: object;
  /** The caller's internal token, and the trace of the caller's request. */
  meta: { token?: string; traceparent?: string };
  requestId: string;
};

/** What one command got: its answer, or the fault that a call of its own would have thrown. */
export type ListedResult = { answer: Answer<unknown> } | { fault: ListedFault };
export type ListedFault = {
  message: string;
  stack: string | undefined;
  type: unknown;
  code: unknown;
  data: unknown;
};

/**
 * The results of a list that came first, each with its command's position in the list. `rest`: the
 * id under which the others are collected; undefined in the last part.
 */
export type ListPart = { results: [position: number, result: ListedResult][]; rest?: string };
