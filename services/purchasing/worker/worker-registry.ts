import type { Command } from "../../../domain/event-state.ts";
import { EventWorker } from "./event-worker.ts";
import type { Outcome, WorkerPorts } from "./ports.ts";

/**
 * The workers of one node, one per active event. A worker starts with its first command and ends
 * when it has been idle.
 */
export class Workers {
  private readonly workers = new Map<string, EventWorker>();
  private readonly ports: WorkerPorts;

  constructor(ports: WorkerPorts) {
    this.ports = ports;
  }

  /** See `EventWorker.submit`. */
  submit(
    eventId: string,
    command: Command,
    forwarded: boolean,
    insteadOf?: string,
  ): Promise<Outcome> {
    let worker = this.workers.get(eventId);
    if (worker === undefined) {
      worker = new EventWorker(eventId, this.ports, () => this.workers.delete(eventId));
      this.workers.set(eventId, worker);
    }
    return worker.submit(command, forwarded, insteadOf);
  }

  forget(eventId: string): void {
    this.workers.get(eventId)?.forget();
  }

  /** Nodes have come, gone, or are leaving. */
  onTopologyChange(): void {
    for (const worker of this.workers.values()) worker.onTopologyChange();
  }

  status() {
    return [...this.workers.values()].map((worker) => worker.status());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
  }
}
