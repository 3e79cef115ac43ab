import { runNodeProcess } from "./node-process.ts";

runNodeProcess();
