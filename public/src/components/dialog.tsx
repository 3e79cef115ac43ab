import { type ReactNode, useEffect, useId, useRef } from "react";

type DialogProps = {
  title: string;
  children: (close: () => void) => ReactNode;
  /** Once it is closed, by whatever way. */ onClose: () => void;
};

/** The browser's own modal dialog: it holds the focus, gives it back, and Escape closes it. */
export function Dialog({ title, children, onClose }: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  // At once: the event `close` comes a moment later, and whoever opens the dialog again in that moment would find it closed by it.
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
