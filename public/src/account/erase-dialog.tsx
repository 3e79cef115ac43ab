import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { answerOf, api } from "../api/client.ts";
import { Dialog } from "../components/dialog.tsx";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { localToday } from "../search/filters.ts";
import { endSession } from "../session/session.ts";
import { useTickets } from "../tickets/use-tickets.ts";
import { fieldError } from "./field-fault.tsx";
import { PasswordField } from "./password-field.tsx";
import { useForm } from "./use-form.ts";

/** Says what goes and what stays, warns of upcoming tickets, and asks for the password. */
export function EraseDialog({ email, onClose }: { email: string; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const today = localToday();
  const upcoming = useTickets("active").tickets?.filter(({ eventDate }) => eventDate >= today);
  const count = upcoming?.length ?? 0;
  const { busy, problem, faults, onSubmit } = useForm(
    async ({ password = "" }) => {
      await answerOf(() => api.DELETE("/api/auth/me", { body: { password } }));
      // Before the end: a page of the account would lead to the sign-in page.
      navigate("/", { transition: false });
      endSession("erasure");
    },
    { INVALID_CREDENTIALS: "password" },
  );
  return (
    <Dialog title={t("ownData.title")} onClose={onClose}>
      {(close) => (
        <form onSubmit={onSubmit}>
          <p>{t("ownData.goes")}</p>
          {count > 0 && (
            <p className="notice notice-warn">
              {t("ownData.upcoming", { count })} <Link href="/tickets">{t("ticket.all")}</Link>
            </p>
          )}
          {problem && <ProblemNotice error={problem} />}
          {/* Password managers read the account from this field. */}
          <input
            type="text"
            name="username"
            autoComplete="username"
            value={email}
            readOnly
            hidden
          />
          <PasswordField
            label={t("account.currentPassword")}
            name="password"
            error={fieldError(faults, "password", "currentPassword")}
          />
          <div className="actions">
            <button type="button" className="button" onClick={close} disabled={busy}>
              {t("ownData.keep")}
            </button>
            <button className="button button-quiet button-bad" aria-disabled={busy}>
              {t(busy ? "ownData.busy" : "ownData.confirm")}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
