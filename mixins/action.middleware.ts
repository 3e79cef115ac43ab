import type { Context, Middleware } from "moleculer";
import { type Answer, refused } from "../domain/refusal.ts";
import { type Audit, openAudit, plainText } from "../lib/observability/audit-log.ts";
import type { VerifyInternalToken, Caller } from "../lib/auth/jwt.ts";
import { EVENT_OWNER } from "../lib/bus/event-owner.strategy.ts";
import { runForRequest } from "../lib/ids.ts";

/** What the gateway sends along with a call on behalf of a caller. */
export type CallMeta = { token?: unknown };

/**
 * Authorizes every action of this node, for local and remote callers. An action declares who may
 * call it (`auth`); without a declaration it is closed. `$node.*` is Moleculer's own and has no
 * customer data.
 *
 * The caller is put into `ctx.locals.caller`. Refusals are values, so that a remote caller can read
 * them: UNAUTHENTICATED (no valid internal token in `ctx.meta.token`), FORBIDDEN (closed, or for
 * another role).
 *
 * Refusals and all acts of an operator go to the audit trail. `unaudited` actions only read
 * figures, every second while an operator watches.
 */
export function authorization(verify: VerifyInternalToken): Middleware {
  let audit: Audit = () => undefined;
  return {
    name: "Authorization",
    created(broker) {
      audit = openAudit(broker);
    },
    localAction(next, action) {
      const { auth, unaudited } = action;
      if (auth === "public" || auth === "each" || action.name?.startsWith("$node.") === true)
        return next;
      const name = action.name ?? "";
      const refuse = (ctx: Context, code: "FORBIDDEN" | "UNAUTHENTICATED", caller?: Caller) => {
        audit({
          what: "access",
          outcome: code,
          action: name,
          from: plainText(senderOf(ctx)),
          ...askedBy(ctx),
          ...caller,
        });
        return refused(code);
      };
      if (auth === undefined) return async (ctx: Context) => refuse(ctx, "FORBIDDEN");
      return async function authorized(
        this: unknown,
        ctx: Context<unknown, CallMeta, { caller?: Caller }>,
      ) {
        const { token } = ctx.meta;
        const caller = typeof token === "string" ? verify(token) : refused("UNAUTHENTICATED");
        // An expired internal token is UNAUTHENTICATED, not TOKEN_EXPIRED: the caller's own token
        // may be fresh.
        if (!caller.ok) return refuse(ctx, "UNAUTHENTICATED");
        if (auth === "operator" && caller.value.role !== "operator")
          return refuse(ctx, "FORBIDDEN", caller.value);
        ctx.locals.caller = caller.value;
        const answering = next.call(this as never, ctx) as unknown as Promise<unknown>;
        if (auth !== "operator" || unaudited === true) return answering;
        const act = { what: name, ...askedBy(ctx), ...caller.value, ...factsOf(ctx.params) };
        try {
          const answer = (await answering) as Answer<unknown>;
          audit({ ...act, outcome: answer.ok ? "ok" : answer.refusal.code });
          return answer;
        } catch (error) {
          audit({ ...act, outcome: "INTERNAL" });
          throw error;
        }
      };
    },
  };
}

function askedBy(ctx: Context): { requestId: string | undefined } {
  return { requestId: plainText(ctx.requestID ?? undefined) };
}

/**
 * Summarizes an operator's params: numbers, flags and short texts as they are, lists by their
 * length.
 */
function factsOf(params: unknown): Record<string, string | number | boolean> {
  const facts: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries((params ?? {}) as Record<string, unknown>)) {
    if (typeof value === "number" || typeof value === "boolean") facts[`param.${name}`] = value;
    else if (typeof value === "string") facts[`param.${name}`] = plainText(value) ?? "";
    else if (Array.isArray(value)) facts[`param.${name}`] = value.length;
  }
  return facts;
}

/** The node that sent a call. A call of a list was sent by the list's sender. */
export function senderOf(ctx: Pick<Context, "nodeID" | "options">): string | undefined {
  return (ctx.options.parentCtx ?? ctx).nodeID ?? undefined;
}

/** For whom an action with `auth: "customer"` or `"operator"` is called. */
export function callerOf(ctx: { locals: object }): Caller {
  const { caller } = ctx.locals as { caller?: Caller };
  if (caller === undefined)
    throw new Error(
      "No caller is known: the action is public, or the authorization middleware is missing",
    );
  return caller;
}

/**
 * Names the request in the SQL of an action. Not for commands of an event's worker: one batch works
 * for hundreds of requests, and the audit trail links each of them to its transaction.
 */
export function requestContext(): Middleware {
  return {
    name: "RequestContext",
    localAction(next, { strategy, auth, name }) {
      if (strategy === EVENT_OWNER || auth === "each" || name === "purchasing.serve") return next;
      return function withRequest(this: unknown, ctx: Context) {
        return runForRequest(ctx.requestID, () => next.call(this as never, ctx) as unknown);
      };
    },
  };
}
