import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

type State = { fault: boolean };

/** A fault in a page, or a part of the app that could not be loaded, leaves words and a way on rather than nothing. Another page is another try. */
export class FaultBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { fault: false };

  static getDerivedStateFromError(): State {
    return { fault: true };
  }

  override render(): ReactNode {
    return this.state.fault ? <FaultWords /> : this.props.children;
  }
}

function FaultWords(): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="empty" role="alert">
      <h1>{t("fault.title")}</h1>
      <p>{t("fault.words")}</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        {t("fault.reload")}
      </button>
    </section>
  );
}
