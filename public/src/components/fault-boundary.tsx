import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

type Props = { path: string; children: ReactNode };
type State = { fault: boolean; path: string };

/** Replaces a page that failed to load or render with a message, until the path changes. */
export class FaultBoundary extends Component<Props, State> {
  override state: State = { fault: false, path: this.props.path };

  static getDerivedStateFromError(): Partial<State> {
    return { fault: true };
  }

  static getDerivedStateFromProps({ path }: Props, state: State): State | null {
    return path === state.path ? null : { fault: false, path };
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
