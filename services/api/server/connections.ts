import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { loopNowMs } from "../../../lib/concurrency/clock.ts";
import { guarded } from "../../../lib/observability/faults.ts";

const SWEEP_MS = 1_000;

type Connection = {
  open: Set<IncomingMessage>;
  quietSinceMs: number;
  whenAnswered: (() => void) | undefined;
};

export type Connections = {
  /** Follows a connection of HTTP/1 until it closes. */
  add(socket: Socket): void;
  /** Notes a request. Its connection is in use until the response closes. */
  began(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Runs `act` when every whole request of the connection is answered. One that is still being read
   * does not count: its rest will not come.
   */
  whenAnswered(socket: Socket, act: () => void): void;
};

/**
 * Follows the requests of each connection of HTTP/1. Closes connections without a request for
 * `quietMs`: Node's own time-outs begin anew with each byte, so a client that sends empty lines
 * would keep its connection for ever.
 */
export function createConnections(quietMs: number): Connections {
  const connections = new Map<Socket, Connection>();
  let timer: NodeJS.Timeout | undefined;

  const sweep = (): void => {
    const dueMs = loopNowMs() - quietMs;
    for (const [socket, { open, quietSinceMs }] of connections)
      if (open.size === 0 && quietSinceMs < dueMs) socket.destroy();
  };
  return {
    add(socket) {
      connections.set(socket, {
        open: new Set(),
        quietSinceMs: loopNowMs(),
        whenAnswered: undefined,
      });
      timer ??= setInterval(() => guarded("timer", sweep), SWEEP_MS).unref();
      socket.once("close", () => {
        connections.delete(socket);
        if (connections.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      });
    },
    began(request, response) {
      const connection = connections.get(request.socket);
      if (connection === undefined) return;
      connection.open.add(request);
      response.once("close", () => {
        connection.open.delete(request);
        connection.quietSinceMs = loopNowMs();
        if (!isAnswered(connection)) return;
        connection.whenAnswered?.();
        connection.whenAnswered = undefined;
      });
    },
    whenAnswered(socket, act) {
      const connection = connections.get(socket);
      if (connection === undefined || isAnswered(connection)) act();
      else connection.whenAnswered = act;
    },
  };
}

function isAnswered({ open }: Connection): boolean {
  return ![...open].some((request) => request.complete);
}
