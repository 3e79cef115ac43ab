// Compiles `rest` and friends into moleculer's own types.
import "moleculer-web";

declare module "moleculer" {
  interface ActionSchema {
    /**
     * Who may call the action: `public` anyone, `customer` a signed-in customer, `operator` that
     * role. Without it the action is closed. `each`: the action runs a list of calls of its own
     * service, and each of them is authorized by a token of its own.
     */
    auth?: "public" | "customer" | "operator" | "each";
    /** An operator's look at figures, which leaves no line in the audit trail. */
    unaudited?: true;
    /**
     * Milliseconds, in place of the broker's request time-out. Moleculer reads it, but its types
     * omit it.
     */
    timeout?: number;
  }
}
