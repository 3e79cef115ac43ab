import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting } from "../../options.ts";

const PRETTIER = join(ROOT, "node_modules", ".bin", "prettier");

export function define(command: Command): void {
  command
    .description("Formats files with prettier.")
    .argument("[path...]", "files or folders (default: all)")
    .addHelpText("after", examples(["format services/ledger", "one folder"]))
    .action(
      exiting((paths: string[]) => {
        const args = ["--write", "--log-level=warn", ...(paths.length > 0 ? paths : [ROOT])];
        return spawnSync(PRETTIER, args, { stdio: "inherit" }).status ?? 1;
      }),
    );
}
