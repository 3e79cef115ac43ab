import { type ReactElement, type ReactNode, type RefObject, useLayoutEffect, useRef } from "react";

type BuyBarProps = {
  label: string;
  /** Without it the button is disabled, and keeps its focus. */
  act?: (() => void) | undefined;
  /** The stepper, or the offer to buy more. Has a key. */
  choice: ReactElement | null;
  children: ReactNode;
};

/**
 * The button to buy, beside a choice, and what there is to say of the order. One button for all
 * states: it never moves, so a second tap meets what the first one met. On small screens it is a
 * bar at the bottom that grows upwards.
 */
export function BuyBar({ label, act, choice, children }: BuyBarProps): ReactNode {
  const button = useRef<HTMLButtonElement>(null);
  return (
    <div className="buy-bar">
      <div className="buy-row">
        {choice && (
          <Choice key={choice.key} heir={button}>
            {choice}
          </Choice>
        )}
        <button
          ref={button}
          type="button"
          className="button button-big"
          aria-disabled={act === undefined}
          onClick={act}
        >
          {label}
        </button>
      </div>
      <div className="buy-news">{children}</div>
    </div>
  );
}

type ChoiceProps = { heir: RefObject<HTMLButtonElement | null>; children: ReactNode };

/** Gives its focus to the button when it goes, as when the event sells out. */
function Choice({ heir, children }: ChoiceProps): ReactNode {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const choice = element.current;
    return () => {
      if (choice?.contains(document.activeElement) === true) heir.current?.focus();
    };
  }, [heir]);
  return (
    <div className="buy-choice" ref={element}>
      {children}
    </div>
  );
}
