import { type Contract, type Operation, readContract } from "../../tools/fuzz/contract.ts";
import { type FuzzAnswer, faultsOf } from "../../tools/fuzz/verdict.ts";
import { API_DOCUMENT } from "../../services/api/routes/index.ts";

/** The contract as every gateway of this checkout serves it. */
export const SERVED_CONTRACT: Contract = readContract(JSON.stringify(API_DOCUMENT));

export type Exchange = {
  method: string;
  target: string;
  sent?: string | Uint8Array | undefined;
} & Omit<FuzzAnswer, "ms">;

/** What is wrong, by our own contract, with an answer that a test got; nothing of a path or a method that is not in it. */
export function contractFaults(
  { method, target, sent, ...answer }: Exchange,
  contract = SERVED_CONTRACT,
): string[] {
  const operation = operationAt(contract, method, target);
  if (operation === undefined) return [];
  const request = {
    operation,
    method,
    target,
    headers: {},
    body: sent === undefined ? undefined : Buffer.from(sent),
    intent: "valid",
  } as const;
  // A test that breaks something on purpose checks itself that it is told so.
  return faultsOf(contract, request, { ...answer, ms: 0 }).filter((fault) => fault !== "INTERNAL");
}

/** A path that is written out goes before one with a parameter in its place. */
function operationAt(
  { operations }: Contract,
  method: string,
  target: string,
): Operation | undefined {
  const [path = ""] = target.split("?");
  const asked = method === "HEAD" ? "GET" : method;
  const matching = operations.filter((one) =>
    new RegExp(`^${one.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  const found = matching.find((one) => one.path === path) ?? matching[0];
  return matching.find((one) => one.path === found?.path && one.method === asked);
}
