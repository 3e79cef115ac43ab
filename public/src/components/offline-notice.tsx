import { type ReactNode, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

function subscribe(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

export function useOnline(): boolean {
  return useSyncExternalStore(subscribe, () => navigator.onLine);
}

export function OfflineNotice(): ReactNode {
  const { t } = useTranslation();
  const online = useOnline();
  return (
    <div role="status" className="offline">
      {!online && <p>{t("layout.offline")}</p>}
    </div>
  );
}
