import { type ReactNode, useEffect, useId, useRef } from "react";

type DialogProps = {
  title: string;
  children: (close: () => void) => ReactNode;
  /** Called after each way of closing. */
  onClose: () => void;
};

/** Native modal dialog: traps and restores the focus, and Escape closes it. */
export function Dialog({ title, children, onClose }: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  // Calls `onClose` at once: the event `close` comes later and could close a reopened dialog.
  const close = (): void => {
    dialog.current?.close();
    onClose();
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children(close)}
    </dialog>
  );
}
