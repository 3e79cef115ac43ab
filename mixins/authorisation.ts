import type { Context, Middleware } from "moleculer";
import { refused } from "../domain/refusal.ts";
import type { VerifyInternalToken } from "./internal-token.ts";
import type { Caller } from "./token-verifier.ts";

/** What the gateway sends along with a call made for somebody. */
export type CallMeta = { token?: unknown };

/**
 * Guards every action of this node, whoever calls it, from here or over the bus. An action says who may call it (`auth`); one that says
 * nothing is closed. `$node.*` is Moleculer's own and tells nothing about customers.
 * The caller is put in `ctx.locals.caller`. Refusals are values, so a remote caller can read them:
 * UNAUTHENTICATED (no valid internal token in `ctx.meta.token`), FORBIDDEN (closed, or another role's).
 */
export function authorisation(verify: VerifyInternalToken): Middleware {
  return {
    name: "Authorisation",
    localAction(next, action) {
      const { auth } = action;
      if (auth === "public" || action.name?.startsWith("$node.") === true) return next;
      if (auth === undefined) return async () => refused("FORBIDDEN");
      return async function authorised(this: unknown, ctx: Context<unknown, CallMeta, { caller?: Caller }>) {
        const { token } = ctx.meta;
        const caller = typeof token === "string" ? verify(token) : refused("UNAUTHENTICATED");
        // An expired internal token is no news for the person behind it, whose own token may be fresh.
        if (!caller.ok) return refused("UNAUTHENTICATED");
        if (auth === "operator" && caller.value.role !== "operator") return refused("FORBIDDEN");
        ctx.locals.caller = caller.value;
        return next.call(this as never, ctx) as unknown;
      };
    },
  };
}

/** For whom an action with `auth: "customer"` or `"operator"` is called. */
export function callerOf(ctx: { locals: object }): Caller {
  const { caller } = ctx.locals as { caller?: Caller };
  if (caller === undefined) throw new Error("No caller is known: the action is public, or the authorisation middleware is missing");
  return caller;
}
