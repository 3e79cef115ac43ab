import { join } from "node:path";
import { ROOT } from "../../../tools/root.ts";

/** The command line's launcher, run as `process.execPath BOXOFFICE import FILE`. */
export const BOXOFFICE = join(ROOT, "cli", "boxoffice.mjs");
