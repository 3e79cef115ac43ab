// A token is verified as a whole: every manipulation ends in the same refusal.
import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import type { Answer } from "../../domain/refusal.ts";
import {
  createInternalTokenMint,
  createInternalTokenVerifier,
  type Caller,
} from "../../lib/auth/jwt.ts";
import {
  ACCESS_TOKEN_LIFE_MS,
  createAccessTokenSigner,
  createAccessTokenVerifier,
  publicJwk,
} from "../../lib/auth/access-token.ts";
import { encode, forgedTokens, honestToken, partsOf } from "../support/http/forged-tokens.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const sign = createAccessTokenSigner(privateKey);
const SUBJECT = {
  userId: "018f0000-0000-7000-8000-000000000001",
  role: "customer",
  sessionId: "s",
} as const;
const CALLER = { userId: SUBJECT.userId, role: "customer" } as const;
const SECRET = "a secret of thirty-two characters or more";

const verifyAccess = (token: string): string =>
  outcome(createAccessTokenVerifier([publicKey]).verify(token));
const verifyInternal = (token: string): string =>
  outcome(createInternalTokenVerifier(SECRET)(token));

function outcome(answer: Answer<Caller> | undefined): string {
  if (answer === undefined) return "another key";
  return answer.ok ? `${answer.value.role} ${answer.value.userId}` : answer.refusal.code;
}

describe("access tokens", () => {
  it("name the caller, the session and the key, and live an hour", () => {
    const token = sign(SUBJECT, 1_000_000);
    const { header, claims } = partsOf(token);
    assert.deepEqual(header, { alg: "EdDSA", typ: "at+jwt", kid: publicJwk(publicKey).kid });
    assert.deepEqual(
      { ...claims, jti: "" },
      {
        iss: "boxoffice",
        aud: "boxoffice-api",
        sub: SUBJECT.userId,
        role: "customer",
        sid: "s",
        jti: "",
        iat: 1_000,
        exp: 4_600,
      },
    );
    assert.equal(verifyAccess(sign(SUBJECT)), `customer ${SUBJECT.userId}`);
  });

  it("publish only the public half", () => {
    assert.deepEqual(publicJwk(privateKey), publicJwk(publicKey));
    assert.equal("d" in publicJwk(privateKey), false);
    // The example of RFC 8037, appendix A.3.
    const example = {
      kty: "OKP",
      crv: "Ed25519",
      x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    };
    const der = Buffer.concat([
      Buffer.from("302a300506032b6570032100", "hex"),
      Buffer.from(example.x, "base64url"),
    ]);
    const key = `-----BEGIN PUBLIC KEY-----\n${der.toString("base64")}\n-----END PUBLIC KEY-----`;
    assert.equal(
      publicJwk(createPublicKey(key)).kid,
      "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    );
  });

  it("tell an expired token from a wrong one, also where it was seen before", () => {
    const verifier = createAccessTokenVerifier([publicKey]);
    const verify = (token: string) => verifier.verify(token);
    assert.equal(
      outcome(verify(sign(SUBJECT, Date.now() - ACCESS_TOKEN_LIFE_MS - 1_500))),
      "TOKEN_EXPIRED",
    );
    const nearlyOver = sign(SUBJECT, Date.now() - ACCESS_TOKEN_LIFE_MS + 1_500);
    assert.equal(outcome(verify(nearlyOver)), `customer ${SUBJECT.userId}`);
    const now = Date.now;
    try {
      Date.now = () => now() + 3_000;
      assert.equal(outcome(verify(nearlyOver)), "TOKEN_EXPIRED");
    } finally {
      Date.now = now;
    }
  });

  it("are refused when anything about them is wrong", () => {
    assert.equal(
      verifyAccess(honestToken(privateKey, SUBJECT.userId)),
      `customer ${SUBJECT.userId}`,
      "the forging itself works",
    );
    const cases = {
      ...forgedTokens(privateKey, SUBJECT.userId),
      empty: "",
      "an internal token": createInternalTokenMint(SECRET)(CALLER),
    };
    for (const [name, token] of Object.entries(cases))
      assert.equal(
        verifyAccess(token),
        name === "another's key by its own kid" ? "another key" : "UNAUTHENTICATED",
        name,
      );
  });

  it("follow the keys in use: a new key counts, a removed one does not, also if cached", () => {
    const next = generateKeyPairSync("ed25519");
    const verifier = createAccessTokenVerifier([publicKey]);
    const [old, fresh] = [sign(SUBJECT), createAccessTokenSigner(next.privateKey)(SUBJECT)];
    const both = () => [outcome(verifier.verify(old)), outcome(verifier.verify(fresh))];
    const yes = `customer ${SUBJECT.userId}`;
    assert.deepEqual(both(), [yes, "another key"]);
    verifier.use([publicJwk(publicKey), publicJwk(next.publicKey)]);
    assert.deepEqual(both(), [yes, yes]);
    verifier.use([publicJwk(next.publicKey)]);
    assert.deepEqual(both(), ["another key", yes]);
  });
});

describe("internal tokens", () => {
  const mint = createInternalTokenMint(SECRET);

  it("say for whom a service is called, and allow for clocks two minutes apart", () => {
    const caller = { userId: "u", role: "operator" } as const;
    const token = mint(caller);
    assert.equal(verifyInternal(token), "operator u");
    assert.equal(mint(caller), token, "reused for half a minute");
    assert.notEqual(mint({ userId: "u", role: "customer" }), token);
    const now = Date.now;
    try {
      Date.now = () => now() + 170_000;
      assert.equal(verifyInternal(token), "operator u");
      Date.now = () => now() - 110_000;
      assert.equal(verifyInternal(token), "operator u");
      Date.now = () => now() + 182_000;
      assert.equal(verifyInternal(token), "TOKEN_EXPIRED");
    } finally {
      Date.now = now;
    }
  });

  it("are refused with another secret, another algorithm, or when they are access tokens", () => {
    const { claims } = partsOf(mint(CALLER));
    const sha256 = `${encode({ alg: "HS256", typ: "internal+jwt" })}.${encode(claims)}`;
    assert.equal(verifyInternal(createInternalTokenMint(`${SECRET}!`)(CALLER)), "UNAUTHENTICATED");
    assert.equal(
      verifyInternal(
        `${sha256}.${createHmac("sha256", SECRET).update(sha256).digest("base64url")}`,
      ),
      "UNAUTHENTICATED",
    );
    assert.equal(
      verifyInternal(`${encode({ alg: "none", typ: "internal+jwt" })}.${encode(claims)}.`),
      "UNAUTHENTICATED",
    );
    assert.equal(verifyInternal(sign(SUBJECT)), "UNAUTHENTICATED");
  });
});
