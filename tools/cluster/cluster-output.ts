import { logDestination } from "../../lib/observability/log-destination.ts";
import { isForPeople } from "../process/report.ts";

/** Receives each line of a node's process. */
export type NodeOutput = (line: string, node: string) => void;

/**
 * Prints the lines of the nodes. At a terminal each has its node's name in front and is formatted;
 * elsewhere the JSON lines stay as they are, since each names its node.
 */
export function nodeOutput(): NodeOutput {
  const destination = isForPeople() ? logDestination(false) : undefined;
  if (destination === undefined) return (line) => console.log(line);
  return (line, node) => {
    process.stdout.write(`${node} | `);
    destination.write(`${line}\n`);
  };
}
