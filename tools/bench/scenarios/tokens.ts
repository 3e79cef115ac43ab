import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createInternalTokenMint, createInternalTokenVerifier } from "../../../lib/auth/jwt.ts";
import {
  createAccessTokenSigner,
  createAccessTokenVerifier,
} from "../../../lib/auth/access-token.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";

const CALLERS = 5_000;
const ROUNDS = 8;

const [SEEN, INTERNAL] = [
  "access token, seen before",
  "internal token, minted and checked",
] as const;

export const TOKEN_BOUNDS: readonly Bound[] = [
  { of: SEEN, figure: "more.µs", most: 10 },
  { of: INTERNAL, figure: "more.µs", most: 40 },
];

/** Cost of tokens per request. Each is the fastest of several rounds over new callers. */
export function tokenCosts(): Measurement[] {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const sign = createAccessTokenSigner(privateKey);
  const secret = randomUUID() + randomUUID();
  const subjects = Array.from({ length: CALLERS }, () => ({
    userId: randomUUID(),
    role: "customer" as const,
    sessionId: randomUUID(),
  }));
  const tokens = subjects.map((subject) => sign(subject));
  /** A new string for each, as a request brings it, because V8 caches the hash of a string. */
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
    costOf(
      "access token, signed",
      best(() => (item) => sign(subjects[item] ?? fail()), 500),
    ),
    costOf(
      "access token, checked for the first time",
      best(() => {
        const verifier = createAccessTokenVerifier([publicKey]);
        return (item) => must(verifier.verify(tokens[item] ?? ""));
      }, 500),
    ),
    costOf(
      SEEN,
      best(() => {
        const texts = fresh();
        return (item) => must(seen.verify(texts[item] ?? ""));
      }),
    ),
    costOf(
      INTERNAL,
      best(() => {
        const mint = createInternalTokenMint(secret);
        const verify = createInternalTokenVerifier(secret);
        return (item) => must(verify(mint(subjects[item] ?? fail())));
      }),
    ),
  ];
}

function costOf(name: string, us: number): Measurement {
  const [operations, perSecond] = [CALLERS * ROUNDS, 1e6 / us];
  return {
    name,
    role: "ours",
    operation: "token",
    operations,
    seconds: operations / perSecond,
    perSecond,
    errors: 0,
    cpuMs: { process: us / 1_000 },
    peakMb: {},
    more: { µs: us },
  };
}

function fail(): never {
  throw new Error("There are fewer callers than rounds");
}
