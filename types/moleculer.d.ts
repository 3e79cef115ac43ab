// Compiles `rest` and friends into moleculer's own types.
import "moleculer-web";

declare module "moleculer" {
  interface ActionSchema {
    /** Who may call. An action that declares nothing is closed. `public`: anyone; `customer`: a signed-in person; `operator`: that role. */
    auth?: "public" | "customer" | "operator";
    /** An operator's look at figures, which leaves no line in the audit trail. */
    unaudited?: true;
    /** Milliseconds, instead of the broker's request time-out; moleculer reads it but its types leave it out. */
    timeout?: number;
  }
}
