import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "../api/client.ts";
import { Problem } from "../api/problem.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";

/** The query of a ticket's code. A code never changes. */
export function codeQuery(ticketId: string) {
  return queryOptions({
    queryKey: ["mine", "code", ticketId],
    queryFn: ({ signal }) => {
      const options = { params: { path: { ticketId } }, parseAs: "text", signal } as const;
      return answerOf(() => api.GET("/api/tickets/{ticketId}/qr.svg", options));
    },
    staleTime: Infinity,
  });
}

/** QR code of a ticket, drawn by the gateway. Stays visible when the network is lost. */
export function QrCode({ ticketId }: { ticketId: string }): ReactNode {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({ ...codeQuery(ticketId), select: readSvg });
  if (error !== null) return <ProblemNotice error={error} again={() => void refetch()} />;
  if (data === undefined)
    return <div className="qr qr-coming" role="status" aria-label={t("parts.loading")} />;
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${data.size} ${data.size}`}
      role="img"
      aria-label={t("ticket.code")}
      shapeRendering="crispEdges"
    >
      <rect width={data.size} height={data.size} fill="#fff" />
      <path d={data.path} fill="#000" />
    </svg>
  );
}

/** Reads size and path of the SVG: the content security policy forbids using it as markup. */
function readSvg(svg: unknown): { size: string; path: string } {
  const [, size, path] =
    /viewBox="0 0 (\d+) \1".*<path fill="#000" d="([^"]+)"/.exec(String(svg)) ?? [];
  if (size === undefined || path === undefined) throw new Problem("INTERNAL");
  return { size, path };
}
