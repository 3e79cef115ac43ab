import type { Context, Middleware } from "moleculer";
import { type Answer, refused } from "../domain/refusal.ts";
import { type Audit, openAudit, plainText } from "../lib/observability/audit-log.ts";
import type { VerifyInternalToken } from "../lib/auth/internal-token.ts";
import type { Caller } from "../lib/auth/jwt-verifier.ts";

/** What the gateway sends along with a call made for somebody. */
export type CallMeta = { token?: unknown };

/**
 * Guards every action of this node, whoever calls it, from here or over the bus. An action says who may call it (`auth`); one that says
 * nothing is closed. `$node.*` is Moleculer's own and tells nothing about customers.
 * The caller is put in `ctx.locals.caller`. Refusals are values, so a remote caller can read them:
 * UNAUTHENTICATED (no valid internal token in `ctx.meta.token`), FORBIDDEN (closed, or another role's).
 * Refusals and every act of an operator leave a line in the audit trail, whichever way the call came; `unaudited` actions are no acts: they read figures,
 * every second while an operator looks.
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
      if (auth === "public" || action.name?.startsWith("$node.") === true) return next;
      const name = action.name ?? "";
      const refuse = (ctx: Context, code: "FORBIDDEN" | "UNAUTHENTICATED", caller?: Caller) => {
        audit({
          what: "access",
          outcome: code,
          action: name,
          from: plainText(ctx.nodeID ?? undefined),
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
        // An expired internal token is no news for the person behind it, whose own token may be fresh.
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

/** What an operator asked for: numbers, flags and short texts as they are, lists by their length. */
function factsOf(params: unknown): Record<string, string | number | boolean> {
  const facts: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries((params ?? {}) as Record<string, unknown>)) {
    if (typeof value === "number" || typeof value === "boolean") facts[`param.${name}`] = value;
    else if (typeof value === "string") facts[`param.${name}`] = plainText(value) ?? "";
    else if (Array.isArray(value)) facts[`param.${name}`] = value.length;
  }
  return facts;
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
