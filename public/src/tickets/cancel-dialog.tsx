import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Ticket } from "../api/types.ts";
import { Dialog } from "../components/dialog.tsx";
import { dayText } from "../components/format.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { useCancel } from "./use-tickets.ts";

/** Confirms a cancellation. The safe button comes first, so it has the focus. */
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
          <div className="actions">
            <button type="button" className="button" onClick={close} disabled={isPending}>
              {t("cancel.keep")}
            </button>
            <button
              type="button"
              className="button button-quiet button-bad"
              aria-disabled={isPending}
              onClick={() => !isPending && mutate()}
            >
              {t(isPending ? "cancel.busy" : "cancel.cancel")}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
