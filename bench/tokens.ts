import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createInternalTokenMint, createInternalTokenVerifier } from "../mixins/internal-token.ts";
import { createAccessTokenSigner, createAccessTokenVerifier } from "../mixins/tokens.ts";

const CALLERS = 5_000;
const ROUNDS = 8;

/** A cost and the most it may be, in microseconds. */
export type TokenCost = { what: string; us: number; mostUs: number | undefined };

/** What identity costs a request: each the fastest of several rounds over callers of their own, since the rest is the machine's noise. */
export function tokenCosts(): TokenCost[] {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const sign = createAccessTokenSigner(privateKey);
  const secret = randomUUID() + randomUUID();
  const subjects = Array.from({ length: CALLERS }, () => ({ userId: randomUUID(), role: "customer" as const, sessionId: randomUUID() }));
  const tokens = subjects.map((subject) => sign(subject));
  /** As a request brings them: a text that nobody has hashed before. */
  const fresh = (): string[] => tokens.map((token) => Buffer.from(token).toString("latin1"));

  const best = (round: () => (count: number) => unknown, count = CALLERS): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < ROUNDS; index += 1) {
      const work = round();
      const began = performance.now();
      for (let item = 0; item < count; item += 1) work(item);
      least = Math.min(least, ((performance.now() - began) * 1_000) / count);
    }
    return least;
  };
  const must = (answer: { ok: boolean } | undefined): void => {
    if (answer?.ok !== true) throw new Error("A token of ours was refused");
  };
  const seen = createAccessTokenVerifier([publicKey]);
  for (const token of tokens) must(seen.verify(token));

  return [
    { what: "access token, signed", us: best(() => (item) => sign(subjects[item] ?? fail()), 500), mostUs: undefined },
    {
      what: "access token, checked for the first time",
      us: best(() => {
        const verifier = createAccessTokenVerifier([publicKey]);
        return (item) => must(verifier.verify(tokens[item] ?? ""));
      }, 500),
      mostUs: undefined,
    },
    {
      what: "access token, seen before",
      us: best(() => {
        const texts = fresh();
        return (item) => must(seen.verify(texts[item] ?? ""));
      }),
      mostUs: 10,
    },
    {
      what: "internal token, minted and checked",
      us: best(() => {
        const mint = createInternalTokenMint(secret);
        const verify = createInternalTokenVerifier(secret);
        return (item) => must(verify(mint(subjects[item] ?? fail())));
      }),
      mostUs: 40,
    },
  ];
}

function fail(): never {
  throw new Error("There are fewer callers than rounds");
}

export function printTokenCosts(costs: readonly TokenCost[]): void {
  console.table(Object.fromEntries(costs.map(({ what, us, mostUs }) => [what, { µs: Number(us.toFixed(2)), "at most": mostUs ?? "" }])));
}

export function tokenFaults(costs: readonly TokenCost[]): string[] {
  return costs.flatMap(({ what, us, mostUs }) =>
    mostUs !== undefined && us > mostUs ? [`${what}: ${us.toFixed(2)} µs, of ${mostUs}`] : [],
  );
}
