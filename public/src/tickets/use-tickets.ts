import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { answerOf, api, type Timed, timedAnswerOf } from "../api/client.ts";
import { asProblem, isRetryable } from "../api/problem.ts";
import type { Ticket } from "../api/types.ts";
import { forgetTicket } from "../purchase/use-purchase.ts";
import { sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";

const PAGE_SIZE = 100;
const CANCEL_RETRIES_MAX = 6;

/** Data of a copy is asked for again this often, until the database is back. */
const STALE_REFETCH_MS = 10_000;

/** `keptAt`: this device has kept the page since then, and the gateway has not answered yet. */
type Page = Timed<{ items: Ticket[]; nextCursor: string | null }> & { keptAt?: string };

/** Says whether a page is of an earlier time: the gateway's copy, or what this device has kept. */
export function isOld({ asOf, keptAt }: Pick<Page, "asOf" | "keptAt">): boolean {
  return asOf !== undefined || keptAt !== undefined;
}

function refetchMs(data: Pick<Page, "asOf" | "keptAt"> | undefined): number | false {
  return data !== undefined && isOld(data) && STALE_REFETCH_MS;
}

export type Status = Ticket["status"];

/**
 * Loads all pages: the API sorts by date, so upcoming tickets come last. With `staleTime` (ms),
 * younger data suffices, and old data is not asked for again and again. `asOf`: the time of the
 * data, where newer data does not come.
 */
export function useTickets(status: Status, staleTime?: number) {
  const isDelayed = useStore(sessionState).state === "delayed";
  const query = useInfiniteQuery({
    queryKey: ["mine", "tickets", status],
    queryFn: async ({ pageParam, signal }): Promise<Page> => {
      const params = {
        status,
        limit: PAGE_SIZE,
        ...(pageParam !== undefined && { cursor: pageParam }),
      };
      return timedAnswerOf(() => api.GET("/api/tickets", { params: { query: params }, signal }));
    },
    ...(staleTime !== undefined && { staleTime }),
    refetchInterval: ({ state }) =>
      staleTime === undefined && refetchMs(state.data?.pages.find(isOld)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage({ cancelRefetch: false });
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  const pages = query.data?.pages;
  const old = pages?.find(isOld);
  const { fetchStatus, failureCount } = query;
  const isAway = isDelayed || isError || fetchStatus === "paused" || failureCount > 0;
  return {
    ...query,
    tickets: pages?.flatMap(({ items }) => items),
    asOf: old?.asOf ?? (isAway ? old?.keptAt : undefined),
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

/** Reads a ticket. Shows it at once where the list is known, and while no answer comes. */
export function useTicket(ticketId: string) {
  const { tickets, asOf } = useTickets("active");
  const query = useQuery<Timed<Ticket>>({
    queryKey: ["mine", "ticket", ticketId],
    refetchInterval: ({ state }) => refetchMs(state.data),
    queryFn: ({ signal }) =>
      timedAnswerOf(() =>
        api.GET("/api/tickets/{ticketId}", { params: { path: { ticketId } }, signal }),
      ),
  });
  const mayExist = query.error === null || isRetryable(asProblem(query.error));
  const listed = mayExist ? tickets?.find(({ id }) => id === ticketId) : undefined;
  const fromList = listed && { ...listed, ...(asOf !== undefined && { asOf }) };
  return { ...query, data: query.data ?? fromList };
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
      return queries.invalidateQueries({ queryKey: ["mine"] });
    },
  });
}
