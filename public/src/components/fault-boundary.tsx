import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

type State = { fault: boolean };

/** Replaces a page that failed to load or render with a message. Reset by navigation. */
export class FaultBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { fault: false };

  static getDerivedStateFromError(): State {
    return { fault: true };
  }

  override render(): ReactNode {
    return this.state.fault ? <FaultNotice /> : this.props.children;
  }
}

function FaultNotice(): ReactNode {
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
