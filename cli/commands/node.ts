import { runNodeProcess } from "../../tools/process/node-process.ts";

runNodeProcess();
