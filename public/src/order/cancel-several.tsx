import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Ticket } from "../api/types.ts";
import { Dialog } from "../components/dialog.tsx";
import { dayText } from "../components/format.ts";
import { useEvent } from "../event/use-event.ts";
import { CancelActions } from "../tickets/cancel-actions.tsx";
import { type Choice, type Outcome, useCancelSeveral } from "./use-cancel-several.ts";

/** Lets the holder choose tickets, asks once, and says of each what became of it. */
export function CancelSeveral({ tickets }: { tickets: readonly Ticket[] }): ReactNode {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const [outcomes, setOutcomes] = useState<Outcome[]>();
  const { data: event } = useEvent(tickets[0]?.eventId ?? "", undefined, tickets.length > 0);
  const over = event !== undefined && Date.parse(event.startsAt) <= Date.now();
  const choices = tickets
    .map((ticket, index): Choice => ({ ticket, place: index + 1 }))
    .filter(({ ticket }) => chosen.has(ticket.id));
  const choose = (ids: readonly string[], isChosen: boolean): void => {
    setAsked(false);
    setChosen((before) =>
      isChosen
        ? new Set([...before, ...ids])
        : new Set([...before].filter((id) => !ids.includes(id))),
    );
  };
  return (
    <>
      {outcomes && <Outcomes outcomes={outcomes} />}
      {tickets.length > 0 && (
        <form
          className="choose-tickets"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            if (choices.length > 0) setConfirming(true);
            else setAsked(true);
          }}
        >
          <fieldset aria-describedby={asked ? "choose-first" : undefined}>
            <legend>{t(over ? "ticket.pager" : "wholeOrder.which")}</legend>
            {!over && tickets.length > 1 && (
              <label className="choice">
                <input
                  type="checkbox"
                  checked={choices.length === tickets.length}
                  onChange={({ currentTarget: { checked } }) =>
                    choose(
                      tickets.map(({ id }) => id),
                      checked,
                    )
                  }
                />
                {t("wholeOrder.all")}
              </label>
            )}
            <ul>
              {tickets.map(({ id }, index) => (
                <li key={id} className="choice">
                  <label className="choice">
                    {!over && (
                      <input
                        type="checkbox"
                        checked={chosen.has(id)}
                        onChange={({ currentTarget: { checked } }) => choose([id], checked)}
                      />
                    )}
                    {t("order.ticket", { number: index + 1 })}
                  </label>
                  <Link href={`/tickets/${id}`}>
                    {t("wholeOrder.show")}
                    <span className="unseen"> {t("order.ticket", { number: index + 1 })}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </fieldset>
          <p id="choose-first" role="status" className="error">
            {asked && t("wholeOrder.choose")}
          </p>
          {!over && (
            <button className="button button-quiet button-bad">{t("wholeOrder.cancel")}</button>
          )}
        </form>
      )}
      {confirming && (
        <ConfirmDialog
          choices={choices}
          onClose={() => setConfirming(false)}
          onDone={(done) => {
            setOutcomes(done);
            setChosen(new Set());
          }}
        />
      )}
    </>
  );
}

/** Asks once for all. */
function ConfirmDialog({
  choices,
  onClose,
  onDone,
}: {
  choices: readonly Choice[];
  onClose: () => void;
  onDone: (outcomes: Outcome[]) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { mutate, isPending } = useCancelSeveral();
  const [{ count, first }] = useState({ count: choices.length, first: choices[0]?.ticket });
  return (
    <Dialog title={t("wholeOrder.title", { count })} onClose={onClose}>
      {(close) => (
        <>
          <p>
            {first &&
              t("wholeOrder.words", {
                name: first.eventName,
                day: dayText(first.eventDate, "long"),
              })}
          </p>
          <CancelActions
            keep={t("wholeOrder.keep")}
            isPending={isPending}
            onKeep={close}
            onCancel={() =>
              mutate(choices, {
                onSuccess: (outcomes) => {
                  close();
                  onDone(outcomes);
                },
              })
            }
          />
        </>
      )}
    </Dialog>
  );
}

/** Takes the focus: the tickets that were chosen may be gone. */
function Outcomes({ outcomes }: { outcomes: readonly Outcome[] }): ReactNode {
  const { t } = useTranslation();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [outcomes]);
  const done = outcomes.filter(({ problem }) => problem === undefined).length;
  const count = outcomes.length;
  return (
    <section className={`notice ${done === count ? "notice-good" : "notice-bad"}`}>
      <h2 ref={title} tabIndex={-1}>
        {t("wholeOrder.result", { done, count })}
      </h2>
      <ul>
        {outcomes.map(({ ticket, place, problem }) => (
          <li key={ticket.id}>
            {t("order.ticket", { number: place })}:{" "}
            {problem === undefined
              ? t("wholeOrder.done")
              : t("wholeOrder.failed", { why: t(`problem.${problem.code}` as "problem.INTERNAL") })}
          </li>
        ))}
      </ul>
    </section>
  );
}
