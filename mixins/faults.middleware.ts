import { type Context, Errors, type Middleware } from "moleculer";
import { nodeContextOf } from "../lib/bus/node-context.ts";
import { processTroubles } from "../lib/observability/troubles.ts";
import { countFault, faultCounts, logFaultsTo, noteFault } from "../lib/observability/faults.ts";

/**
 * Counts exceptions of actions and event handlers. An action's exception goes on to its caller,
 * which answers or logs it; an event has no caller, so its exception is logged here and ends.
 * Moleculer's own errors (a wrong parameter, a time-out, a missing service) are no faults.
 */
export function faults(): Middleware {
  return {
    name: "Faults",
    created(broker) {
      const log = broker.getLogger("node");
      logFaultsTo(log);
      processTroubles.logTo(log);
    },
    async starting(broker) {
      nodeContextOf(broker).metrics?.read(
        "boxoffice_faults_total",
        "Exceptions of the program's own, by the place where they ended.",
        "counter",
        () => Object.entries(faultCounts()).map(([place, value]) => ({ labels: { place }, value })),
      );
    },
    localAction(next) {
      return async function counted(this: unknown, ctx: Context) {
        try {
          return (await next.call(this as never, ctx)) as unknown;
        } catch (error) {
          if (!(error instanceof Errors.MoleculerError)) countFault("call");
          throw error;
        }
      };
    },
    localEvent(next, event) {
      return async function contained(this: unknown, ctx: Context) {
        try {
          await (next.call(this as never, ctx) as unknown);
        } catch (error) {
          noteFault("event", error, `The handler of the event ${event.name} failed`);
        }
      };
    },
  };
}
