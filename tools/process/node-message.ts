/**
 * What a node tells the process that started it: that it serves, or why it cannot. `problem` is one
 * that a person must mend.
 */
export type NodeMessage = { url: string | undefined } | { problem: string };

/** Tells the parent. False if it has opened no channel, or has ended. */
export function tellParent(message: NodeMessage): Promise<boolean> {
  if (!process.connected || process.send === undefined) return Promise.resolve(false);
  return new Promise((resolve) =>
    process.send?.(message, (error: Error | null) => resolve(error === null)),
  );
}
