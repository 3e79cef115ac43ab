import type { Context, Middleware } from "moleculer";
import { nodeContextOf } from "../lib/bus/node-context.ts";
import type { Tracing } from "../lib/observability/tracing.ts";
import { senderOf } from "./action.middleware.ts";

/** How a trace travels over the bus. */
type TraceMeta = { traceparent?: string };

/**
 * Traces each action of this node that is called within a trace, and each call to another node,
 * which carries the trace in `ctx.meta`. The last of the node's middlewares, so that refusals of
 * the others are traced too.
 */
export function tracedBus(): Middleware {
  return {
    name: "Tracing",
    localAction(next, action) {
      const { tracing } = nodeContextOf(this);
      if (tracing === undefined) return next;
      const name = action.name ?? "";
      return function traced(this: unknown, ctx: Context<unknown, TraceMeta>) {
        const answering = async (): Promise<unknown> =>
          (await next.call(this as never, ctx)) as unknown;
        const parent = tracing.current() ?? ctx.meta.traceparent;
        if (parent === undefined) return answering() as never;
        const kind = senderOf(ctx) === ctx.broker.nodeID ? "INTERNAL" : "SERVER";
        const span = tracing.begin(name, kind, {
          parent,
          attributes: { "rpc.system": "moleculer", "rpc.method": name },
        });
        return tracing.within(span, async () => {
          const answer = (await answering()) as
            { ok?: unknown; refusal?: { code: string } } | undefined;
          if (answer?.ok !== undefined)
            span.setAttribute("boxoffice.outcome", answer.refusal?.code ?? "ok");
          return answer;
        }) as never;
      };
    },
    remoteAction(next, action) {
      const { tracing } = nodeContextOf(this);
      if (tracing === undefined) return next;
      const name = action.name ?? "";
      return function calling(this: unknown, ctx: Context<unknown, TraceMeta>) {
        return traceCall(tracing, name, ctx.endpoint?.node.id ?? "", async (trace) => {
          // A new one: two tries of one command share what they were given.
          if (trace !== undefined) ctx.meta = { ...ctx.meta, ...trace };
          return (await next.call(this as never, ctx)) as unknown;
        }) as never;
      };
    },
    async stopped(broker) {
      await nodeContextOf(broker).tracing?.close();
    },
  };
}

/**
 * Traces a call to another node. `ask` gets what must travel with it in `ctx.meta`; undefined
 * outside of a trace.
 */
export function traceCall<T>(
  tracing: Tracing | undefined,
  name: string,
  nodeId: string,
  ask: (trace: TraceMeta | undefined) => Promise<T>,
): Promise<T> {
  const parent = tracing?.current();
  if (tracing === undefined || parent === undefined) return ask(undefined);
  const attributes = { "rpc.system": "moleculer", "rpc.method": name, "boxoffice.node": nodeId };
  const span = tracing.begin(name, "CLIENT", { parent, attributes });
  return tracing.within(span, () => ask({ traceparent: tracing.traceparent(span) }));
}
