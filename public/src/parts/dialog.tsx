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
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children(() => dialog.current?.close())}
    </dialog>
  );
}
