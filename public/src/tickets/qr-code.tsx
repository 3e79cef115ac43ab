import { skipToken, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ProblemNotice } from "../components/problem-notice.tsx";

/**
 * QR code of a ticket. Drawn in the page, so that it needs no network: `networkMode` says so. Black
 * on white in every theme, as readers expect.
 */
export function QrCode({ code }: { code: string | undefined }): ReactNode {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["mine", "qr", code],
    queryFn:
      code === undefined
        ? skipToken
        : async () => (await import("../../../lib/qr/qr-path.ts")).qrPath(code),
    networkMode: "always",
    staleTime: Infinity,
  });
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
