import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { answerOf, api, type Timed, timedAnswerOf } from "../api/client.ts";
import { asProblem, isRetryable } from "../api/problem.ts";
import type { Ticket } from "../api/types.ts";
import { forgetTicket } from "../purchase/use-purchase.ts";

const PAGE_SIZE = 100;
const CANCEL_RETRIES_MAX = 6;

/** Data of a copy is asked for again this often, until the database is back. */
const STALE_REFETCH_MS = 10_000;

function isTimed(data: Timed<object> | undefined): boolean {
  return data?.asOf !== undefined;
}

function refetchMs(data: Timed<object> | undefined): number | false {
  return isTimed(data) && STALE_REFETCH_MS;
}

export type Status = Ticket["status"];

/** Loads all pages: the API sorts by date, so upcoming tickets come last. */
export function useTickets(status: Status) {
  const query = useInfiniteQuery({
    queryKey: ["mine", "tickets", status],
    queryFn: ({ pageParam, signal }) => {
      const params = {
        status,
        limit: PAGE_SIZE,
        ...(pageParam !== undefined && { cursor: pageParam }),
      };
      return timedAnswerOf(() => api.GET("/api/tickets", { params: { query: params }, signal }));
    },
    refetchInterval: ({ state }) => refetchMs(state.data?.pages.find(isTimed)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  const pages = query.data?.pages;
  return {
    ...query,
    tickets: pages?.flatMap(({ items }) => items),
    asOf: pages?.find(isTimed)?.asOf,
  };
}

/** The valid tickets of an order. */
export function useOrder(orderId: string) {
  const query = useTickets("active");
  return {
    ...query,
    tickets: query.tickets?.filter(({ transactionId }) => transactionId === orderId),
  };
}

/** Reads a ticket. Shows it at once where its order is known. */
export function useTicket(ticketId: string) {
  const { tickets } = useTickets("active");
  return useQuery<Timed<Ticket>>({
    queryKey: ["mine", "ticket", ticketId],
    placeholderData: () => tickets?.find(({ id }) => id === ticketId),
    refetchInterval: ({ state }) => refetchMs(state.data),
    queryFn: ({ signal }) =>
      timedAnswerOf(() =>
        api.GET("/api/tickets/{ticketId}", { params: { path: { ticketId } }, signal }),
      ),
  });
}

/** Cancels a ticket. Retries are safe: a cancellation is idempotent. */
export function useCancel(ticketId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answerOf(() => api.DELETE("/api/tickets/{ticketId}", { params: { path: { ticketId } } })),
    retry: (failures, error) => failures < CANCEL_RETRIES_MAX && isRetryable(asProblem(error)),
    retryDelay: (failures, error) =>
      Math.max(asProblem(error).retryAfterMs ?? 0, 400 * 2 ** failures),
    onSuccess: (ticket) => {
      forgetTicket(ticketId);
      queries.setQueryData(["mine", "ticket", ticketId], ticket);
      // A cancelled ticket has no QR code to refetch.
      return queries.invalidateQueries({
        queryKey: ["mine"],
        predicate: ({ queryKey }) => queryKey[1] !== "code",
      });
    },
  });
}
