import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** Buttons under a question about cancelling. The safe one comes first, so it has the focus. */
export function CancelActions({
  keep,
  isPending,
  onKeep,
  onCancel,
}: {
  /** Label of the safe button. */
  keep: string;
  isPending: boolean;
  onKeep: () => void;
  onCancel: () => void;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="actions">
      <button type="button" className="button" onClick={onKeep} disabled={isPending}>
        {keep}
      </button>
      <button
        type="button"
        className="button button-quiet button-bad"
        aria-disabled={isPending}
        onClick={() => !isPending && onCancel()}
      >
        {t(isPending ? "cancel.busy" : "cancel.cancel")}
      </button>
    </div>
  );
}
