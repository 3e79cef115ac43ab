import type { ServiceBroker } from "moleculer";
import type { Answer } from "../../domain/refusal.ts";

/** What an operator's command uses. */
export type OperatorSession = {
  /** Calls an action as the operator. Throws a Refused that says what to do. */
  call<T>(action: string, params?: object, nodeId?: string): Promise<T>;
  /** The nodes that run a service. */
  nodesOf(service: string): string[];
  print(line: string): void;
  /** Asks for confirmation; where the input is no terminal, only --yes confirms. */
  confirm(question: string): Promise<boolean>;
  /** Aborted by Ctrl-C: a command that goes on for long then ends. */
  interrupted(): AbortSignal;
  /** Ctrl-C was pressed. */
  interrupt(): void;
};

export class Refused extends Error {}

const CALL_TIMEOUT_MS = 70_000;

export function openSession(
  broker: ServiceBroker,
  { print, confirm }: Pick<OperatorSession, "print" | "confirm">,
): OperatorSession {
  let interruption = new AbortController();
  return {
    interrupted: () => interruption.signal,
    interrupt() {
      interruption.abort();
      interruption = new AbortController();
    },
    print,
    confirm,
    nodesOf: (service) =>
      broker.registry
        .getServiceList({ onlyAvailable: true })
        .flatMap(({ name, nodeID }) => (name === service && nodeID !== undefined ? [nodeID] : []))
        .sort(),
    async call<T>(action: string, params: object = {}, nodeId?: string): Promise<T> {
      const answer = await broker.call<Answer<T>, object>(action, params, {
        timeout: CALL_TIMEOUT_MS,
        ...(nodeId === undefined ? {} : { nodeID: nodeId }),
      });
      if (answer.ok) return answer.value;
      const { code } = answer.refusal;
      throw new Refused(
        code === "TRY_AGAIN"
          ? "A server behind it does not answer; nothing is lost, ask again later."
          : `The engine refuses: ${code}`,
      );
    },
  };
}
