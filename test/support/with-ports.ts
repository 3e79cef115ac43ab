import PurchasingService from "../../services/purchasing/purchasing.service.ts";
import type { WorkerPorts } from "../../services/purchasing/worker/ports.ts";

/** Purchasing with parts of its workers replaced. */
export function withPorts(
  adaptPorts: (ports: WorkerPorts) => WorkerPorts,
): typeof PurchasingService {
  const { methods } = PurchasingService;
  return { ...PurchasingService, methods: { ...methods, adaptPorts } };
}
