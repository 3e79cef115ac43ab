import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { answerOf, api } from "../api/client.ts";
import { asProblem, isPassing } from "../api/problem.ts";
import type { Ticket } from "../api/types.ts";

const PAGE = 100;
const CANCEL_TRIES = 6;

export type Status = Ticket["status"];

/** All of one's tickets of a status, page by page until all are there: what lies ahead comes after what is past. */
export function useTickets(status: Status) {
  const found = useInfiniteQuery({
    queryKey: ["mine", "tickets", status],
    queryFn: ({ pageParam, signal }) => {
      const query = { status, limit: PAGE, ...(pageParam !== undefined && { cursor: pageParam }) };
      return answerOf(() => api.GET("/api/tickets", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
  const { hasNextPage, isFetching, isError, fetchNextPage } = found;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  return { ...found, tickets: found.data?.pages.flatMap(({ items }) => items) };
}

export function useTicket(ticketId: string) {
  return useQuery({
    queryKey: ["mine", "ticket", ticketId],
    queryFn: ({ signal }) =>
      answerOf(() =>
        api.GET("/api/tickets/{ticketId}", { params: { path: { ticketId } }, signal }),
      ),
  });
}

/** Cancelling again gives the same answer, so a lost one is asked for until it is there. */
export function useCancel(ticketId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answerOf(() => api.DELETE("/api/tickets/{ticketId}", { params: { path: { ticketId } } })),
    retry: (failures, error) => failures < CANCEL_TRIES && isPassing(asProblem(error)),
    retryDelay: (failures, error) =>
      Math.max(asProblem(error).retryAfterMs ?? 0, 400 * 2 ** failures),
    onSuccess: (ticket) => {
      queries.setQueryData(["mine", "ticket", ticketId], ticket);
      // A cancelled ticket has no code to be asked for again.
      return queries.invalidateQueries({
        queryKey: ["mine"],
        predicate: ({ queryKey }) => queryKey[1] !== "code",
      });
    },
  });
}
