import { isForPeople } from "../process/report.ts";

/** Members of a log line that repeat themselves on a terminal. */
const IGNORED = "pid,hostname,nodeID,ns,name";

/** Receives each line of a node's process. */
export type NodeOutput = (line: string, node: string) => void;

/**
 * Prints the lines of the nodes. At a terminal each has its node's name in front and is formatted;
 * elsewhere the JSON lines stay as they are, since each names its node.
 */
export async function nodeOutput(): Promise<NodeOutput> {
  if (!isForPeople()) return (line) => console.log(line);
  const { prettyFactory } = await import("pino-pretty");
  const format = prettyFactory({ colorize: true, ignore: IGNORED, singleLine: true });
  return (line, node) => console.log(`${node} | ${format(line).trimEnd()}`);
}
