import type { IncomingMessage } from "node:http";
import { type AuditEntry, plainText } from "../../../lib/observability/audit-log.ts";
import type { Caller } from "../../../lib/auth/jwt.ts";
import type { Input, Route } from "../routing/route.ts";

/** The facts of an answered request for the audit trail. */
export type Served = {
  status: number;
  /** `ok`, or the code of the refusal. */
  outcome: string;
  caller?: Caller | undefined;
  input?: Pick<Input, "params" | "body">;
  value?: unknown;
};

/**
 * Builds the audit line of one answered request. It names things by validated ids and by the
 * transaction id, which leads to the rows. No body is copied, except an e-mail that looks like one:
 * people type passwords into the wrong field.
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
  const isIdentity = route.audit === "sign-in" || route.audit === "registration";
  return {
    what: route.audit ?? "access",
    outcome,
    status,
    route: route.audit === undefined ? `${route.method} ${route.path}` : undefined,
    requestId,
    address,
    userId: caller?.userId ?? (isIdentity ? (value.user?.id ?? value.id) : undefined),
    role: caller?.role,
    ...input?.params,
    quantity,
    transactionId: value.transactionId,
    // A replay: the sale itself has its own line.
    replayed: value.replayed === true ? true : undefined,
    email: email?.includes("@") === true ? plainText(email) : undefined,
    // The sign-in of the session has the browser; with a caller it would only double the line.
    userAgent: caller === undefined ? plainText(request.headers["user-agent"]) : undefined,
  };
}
