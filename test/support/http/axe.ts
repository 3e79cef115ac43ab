import axe, { type RunOptions } from "axe-core";
import type { Page } from "playwright-core";

/** Returns what axe finds in the page, with the element and what to do. */
export async function violations(page: Page, options: RunOptions = {}): Promise<string[]> {
  // The debugger may evaluate code despite the content security policy.
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(axe.source);
  return page.evaluate(
    async (given) => {
      const { violations: all } = await (globalThis as unknown as { axe: typeof axe }).axe.run(
        given,
      );
      return all.flatMap(({ id, nodes }) =>
        nodes.map(
          ({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary ?? ""}`,
        ),
      );
    },
    { ...options, resultTypes: ["violations"] } satisfies RunOptions,
  );
}
