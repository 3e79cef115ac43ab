/** The ways to sell that are compared, ours first. */
export const CONTENDERS = {
  worker: "the event's worker (batches, one statement each)",
  "row-lock": "a row lock per purchase in a transaction (capacity, limit, ticket, ledger)",
  "row-lock-statement": "a row lock per purchase, all in one statement without limit and ledger",
  "redlock-defaults": "a Redlock per purchase, redlock's defaults",
  "redlock-tuned": "a Redlock per purchase, tuned (retry after 200 ms ± 200 ms, up to 20 times)",
} as const;

export type Contender = keyof typeof CONTENDERS;

export function isContender(text: string): text is Contender {
  return Object.hasOwn(CONTENDERS, text);
}
