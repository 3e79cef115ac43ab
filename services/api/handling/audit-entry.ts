import type { IncomingMessage } from "node:http";
import { type AuditEntry, plainText } from "../../../lib/observability/audit-log.ts";
import type { Caller } from "../../../lib/auth/jwt-verifier.ts";
import type { Input, Route } from "../routing/route.ts";

/** What is known of a request once it has been answered. */
export type Served = {
  status: number;
  /** `ok`, or the word of the refusal. */
  outcome: string;
  caller?: Caller;
  input?: Pick<Input, "params" | "body">;
  value?: unknown;
};

/** Whether an answer leaves a line in the audit trail: routes that say so always, every other where access was refused. */
export function isAudited(route: Route, { status }: Served): boolean {
  return route.audit !== undefined || status === 401 || status === 403;
}

/**
 * The line of one answered request. What was asked for is named by ids that the contract has checked, and by the transaction that came of it,
 * which leads to its rows. No body is copied: of what a client typed only the e-mail is kept, where it looks like one and not like a password.
 */
export function auditEntry(
  route: Route,
  request: IncomingMessage,
  requestId: string,
  address: string,
  served: Served,
): AuditEntry {
  const { status, outcome, caller, input } = served;
  const value = (served.value ?? {}) as {
    id?: string;
    transactionId?: string;
    replayed?: boolean;
    user?: { id: string };
  };
  const { email, quantity } = (input?.body ?? {}) as { email?: string; quantity?: number };
  const person = route.audit === "sign-in" || route.audit === "registration";
  return {
    what: route.audit ?? "access",
    outcome,
    status,
    route: route.audit === undefined ? `${route.method} ${route.path}` : undefined,
    requestId,
    address,
    userId: caller?.userId ?? (person ? (value.user?.id ?? value.id) : undefined),
    role: caller?.role,
    ...input?.params,
    quantity,
    transactionId: value.transactionId,
    // The same answer once more; what was sold has its line already.
    replayed: value.replayed === true ? true : undefined,
    email: email?.includes("@") === true ? plainText(email) : undefined,
    // A purchase in a rush is known by its session's sign-in; its browser would double the line.
    userAgent: caller === undefined ? plainText(request.headers["user-agent"]) : undefined,
  };
}
