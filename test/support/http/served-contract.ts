import { type Contract, type Operation, readContract } from "../../../tools/fuzz/contract.ts";
import { type FuzzAnswer, faultsOf } from "../../../tools/fuzz/verdict.ts";
import { API_DOCUMENT } from "../../../services/api/routes/index.ts";

/** The OpenAPI document as every gateway of this checkout serves it. */
export const SERVED_CONTRACT: Contract = readContract(JSON.stringify(API_DOCUMENT));

export type Exchange = {
  method: string;
  target: string;
  sent?: string | Uint8Array | undefined;
} & Omit<FuzzAnswer, "ms">;

/** Lists how an answer breaks our OpenAPI document. Empty for unknown paths and methods. */
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
  // Tests that break it on purpose check the error themselves.
  return faultsOf(contract, request, { ...answer, ms: 0 }).filter((fault) => fault !== "INTERNAL");
}

/** Literal paths match before paths with parameters. */
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
