import type { Ask } from "../database/read-only.ts";
import type { Tracing } from "./tracing.ts";

type Callback = (error: unknown, result: unknown) => void;

/**
 * Traces each statement of a trace, ours and Sequelize's. A span has the statement's name or its
 * first word: Sequelize writes values into its texts.
 */
export function tracedQueries(tracing: Tracing): (ask: Ask) => Ask {
  return (ask) =>
    (first, ...rest) => {
      const parent = tracing.current();
      if (parent === undefined) return ask(first, ...rest);
      const span = tracing.begin(nameOf(first), "CLIENT", {
        parent,
        attributes: { "db.system.name": "postgresql" },
      });
      const last = rest.at(-1);
      if (typeof last === "function") {
        const told: Callback = (error, result) => {
          tracing.end(span, error);
          (last as Callback)(error, result);
        };
        return ask(first, ...rest.slice(0, -1), told);
      }
      const answer = ask(first, ...rest) as Promise<unknown>;
      answer.then(
        () => tracing.end(span),
        (error: unknown) => tracing.end(span, error),
      );
      return answer;
    };
}

function nameOf(query: unknown): string {
  const { name, text } =
    typeof query === "string"
      ? { name: undefined, text: query }
      : (query as { name?: string; text?: string });
  return name ?? /\w+/.exec(text ?? "")?.[0] ?? "query";
}
