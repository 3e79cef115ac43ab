import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Ticket } from "../api/types.ts";
import { Dialog } from "../components/dialog.tsx";
import { dayText } from "../components/format.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { CancelActions } from "./cancel-actions.tsx";
import { useCancel } from "./use-tickets.ts";

/** Confirms a cancellation. */
export function CancelDialog({
  ticket,
  onClose,
}: {
  ticket: Ticket;
  onClose: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { mutate, isPending, error, failureCount } = useCancel(ticket.id);
  return (
    <Dialog title={t("cancel.title")} onClose={onClose}>
      {(close) => (
        <>
          <p>
            {t("cancel.words", { name: ticket.eventName, day: dayText(ticket.eventDate, "long") })}
          </p>
          <div role="status">
            {isPending && failureCount > 0 && <p className="soft">{t("cancel.trying")}</p>}
          </div>
          {error !== null && <ProblemNotice error={error} />}
          <CancelActions
            keep={t("cancel.keep")}
            isPending={isPending}
            onKeep={close}
            onCancel={() => mutate()}
          />
        </>
      )}
    </Dialog>
  );
}
