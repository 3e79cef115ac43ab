import { AsyncLocalStorage } from "node:async_hooks";
import type { Answer } from "../../../domain/refusal.ts";
import {
  LIST_MAX,
  type ListedCommand,
  type ListedFault,
  type ListPart,
} from "../../../lib/bus/command-list.ts";

/** One try of a command: the node that it goes to, and how long its caller waits. */
export type Try = { nodeId: string; timeoutMs: number; command: ListedCommand };

/** Calls to other nodes. Each rejects with faults of the bus. */
export type ListBus = {
  /** False for a node of an earlier release, which has no action for lists. */
  takesLists(nodeId: string): boolean;
  one(attempt: Try): Promise<Answer<unknown>>;
  submit(nodeId: string, commands: ListedCommand[], timeoutMs: number): Promise<ListPart>;
  collect(nodeId: string, list: string, token: string, timeoutMs: number): Promise<ListPart>;
  nowMs(): number;
  /** Calls at the end of this turn of the event loop. */
  atEndOfTurn(work: () => void): void;
};

/** Resolves with the command's answer. Rejects as a call of its own would. */
export type SendCommand = (attempt: Try) => Promise<Answer<unknown>>;

type Waiting = Try & {
  resolve: (answer: Answer<unknown> | Promise<Answer<unknown>>) => void;
  reject: (fault: unknown) => void;
};

/**
 * Sends the commands of one turn of the event loop that go to the same node as one list. A single
 * command goes alone, and so does every command to a node that takes no lists. See ADR-0077.
 */
export function createCommandLists(bus: ListBus): SendCommand {
  let waiting: Waiting[] = [];
  // A list belongs to no request, so it must not run in the trace of its first one.
  const outside = AsyncLocalStorage.snapshot();

  const sendAll = (): void => {
    const gathered = waiting;
    waiting = [];
    const groups = Map.groupBy(gathered, ({ nodeId, timeoutMs }) => `${timeoutMs} ${nodeId}`);
    for (const group of groups.values())
      for (let start = 0; start < group.length; start += LIST_MAX)
        send(bus, group.slice(start, start + LIST_MAX));
  };
  return (attempt) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ ...attempt, resolve, reject }) === 1)
        outside(() => bus.atEndOfTurn(sendAll));
    });
}

/** Gives the callers what is thrown: none is on the stack, so it would end the process. */
function send(bus: ListBus, group: readonly Waiting[]): void {
  try {
    const [first] = group;
    if (first !== undefined && group.length > 1 && bus.takesLists(first.nodeId))
      void sendList(bus, first, group);
    else for (const one of group) one.resolve(bus.one(one));
  } catch (fault) {
    for (const { reject } of group) reject(fault);
  }
}

/** What befalls a list befalls those of its commands that have no result yet. */
async function sendList(
  bus: ListBus,
  { nodeId, timeoutMs }: Try,
  group: readonly Waiting[],
): Promise<void> {
  const deadlineMs = bus.nowMs() + timeoutMs;
  const missing = new Map(group.entries());
  let arrived = false;
  try {
    const commands = group.map(({ command }) => command);
    let part = await bus.submit(nodeId, commands, timeoutMs);
    arrived = true;
    settle(missing, part);
    while (part.rest !== undefined && missing.size > 0 && bus.nowMs() < deadlineMs) {
      const [next] = missing.values();
      const token = next?.command.meta.token ?? "";
      part = await bus.collect(nodeId, part.rest, token, deadlineMs - bus.nowMs());
      settle(missing, part);
    }
  } catch (error) {
    if (!arrived) for (const one of missing.values()) one.reject(error);
  }
  // A list that has arrived runs, whatever became of the call that collects its results.
  if (arrived) for (const one of missing.values()) one.reject(lost(nodeId));
}

function settle(missing: Map<number, Waiting>, { results }: ListPart): void {
  for (const [position, result] of results) {
    const one = missing.get(position);
    missing.delete(position);
    if ("answer" in result) one?.resolve(result.answer);
    else one?.reject(errorOf(result.fault));
  }
}

function errorOf({ message, ...facts }: ListedFault): Error {
  return Object.assign(new Error(message), facts);
}

function lost(nodeID: string): Error {
  const facts = { type: "REQUEST_TIMEOUT", data: { nodeID } };
  return Object.assign(new Error("The list had no answer for this command"), facts);
}
