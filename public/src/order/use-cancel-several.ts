import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answerOf, api } from "../api/client.ts";
import { type Problem, asProblem, isRetryable } from "../api/problem.ts";
import type { Ticket } from "../api/types.ts";
import { forgetTicket } from "../purchase/use-purchase.ts";
import { backOffMs } from "../session/back-off.ts";
import { pause } from "../session/pause.ts";

const RETRIES_MAX = 4;

/** `place`: of the ticket in its order, from 1. Without a problem the ticket is cancelled. */
export type Choice = { ticket: Ticket; place: number };
export type Outcome = Choice & { problem: Problem | undefined };

/**
 * Cancels tickets one by one, and says of each whether it is cancelled: one that fails does not
 * keep the others. Retries are safe, since a cancellation is idempotent.
 */
export function useCancelSeveral() {
  const queries = useQueryClient();
  return useMutation({
    async mutationFn(choices: readonly Choice[]): Promise<Outcome[]> {
      const outcomes: Outcome[] = [];
      for (const choice of choices)
        outcomes.push({ ...choice, problem: await cancelTicket(choice.ticket.id) });
      return outcomes;
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["mine"] }),
  });
}

async function cancelTicket(ticketId: string): Promise<Problem | undefined> {
  for (let failures = 0; ; failures += 1) {
    const problem = await answerOf(() =>
      api.DELETE("/api/tickets/{ticketId}", { params: { path: { ticketId } } }),
    ).then(() => undefined, asProblem);
    if (problem === undefined) forgetTicket(ticketId);
    if (problem === undefined || !isRetryable(problem) || failures === RETRIES_MAX) return problem;
    await pause(backOffMs(failures, problem, Math.random()));
  }
}
