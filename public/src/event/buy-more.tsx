import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../components/dialog.tsx";
import { Stepper } from "./stepper.tsx";

type BuyMoreProps = { left: number; locked: boolean; onBuy: (quantity: number) => void };

/** Offers a further purchase, and asks before it orders. */
export function BuyMore({ left, locked, onBuy }: BuyMoreProps): ReactNode {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [quantity, setQuantity] = useState(1);
  return (
    <>
      <button
        type="button"
        className="button button-quiet button-big"
        aria-disabled={locked}
        onClick={locked ? undefined : () => setAsking(true)}
      >
        {t("buy.buyMore")}
      </button>
      {asking && (
        <Dialog title={t("buy.moreTitle")} onClose={() => setAsking(false)}>
          {(close) => (
            <>
              <Stepper value={quantity} left={left} onChange={setQuantity} />
              <div className="actions">
                <button type="button" className="button button-quiet" onClick={close}>
                  {t("buy.noMore")}
                </button>
                <button
                  type="button"
                  className="button"
                  aria-disabled={quantity > left}
                  onClick={() => {
                    if (quantity > left) return;
                    close();
                    onBuy(quantity);
                  }}
                >
                  {t("buy.more", { count: quantity })}
                </button>
              </div>
            </>
          )}
        </Dialog>
      )}
    </>
  );
}
