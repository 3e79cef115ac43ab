import { VARIABLES } from "./index.ts";

/** The page docs/configuration.md: the table of variables. */
export function configurationPage(): string {
  const rows = Object.entries(VARIABLES).map(
    ([name, [meaning, byDefault]]) => `| \`${name}\` | ${meaning} | ${byDefault} |`,
  );
  return `# Configuration\n\n| variable | meaning | default |\n|---|---|---|\n${rows.join("\n")}\n`;
}
