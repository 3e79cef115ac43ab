import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
} from "node:crypto";
import { createAccessTokenSigner, publicJwk } from "../../../lib/auth/access-token.ts";

type Parts = Record<string, unknown>;
export const encode = (part: Parts): string =>
  Buffer.from(JSON.stringify(part)).toString("base64url");
const decode = (segment: string): Parts =>
  JSON.parse(Buffer.from(segment, "base64url").toString()) as Parts;

export function partsOf(token: string): { header: Parts; claims: Parts; signature: string } {
  const [header = "", claims = "", signature = ""] = token.split(".");
  return { header: decode(header), claims: decode(claims), signature };
}

/** Signs any header and claims with a real key, as only our mistake or a stolen key could. */
function forge(key: KeyObject, header: Parts, claims: Parts): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signBytes(null, Buffer.from(input), key).toString("base64url")}`;
}

/** Builds a valid token by hand. It must pass, or the forgeries prove nothing. */
export function honestToken(privateKey: KeyObject, userId: string): string {
  const good = partsOf(
    createAccessTokenSigner(privateKey)({ userId, role: "customer", sessionId: "s" }),
  );
  return forge(privateKey, good.header, good.claims);
}

/** Forged access tokens by the name of the attack. None may pass. */
export function forgedTokens(privateKey: KeyObject, userId: string): Record<string, string> {
  const publicKey = createPublicKey(privateKey);
  const good = partsOf(
    createAccessTokenSigner(privateKey)({ userId, role: "customer", sessionId: "s" }),
  );
  const altered = (header: Parts, claims: Parts): string =>
    forge(privateKey, { ...good.header, ...header }, { ...good.claims, ...claims });
  const other = generateKeyPairSync("ed25519");
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const hs256 = `${encode({ ...good.header, alg: "HS256" })}.${encode(good.claims)}`;
  const [header = "", claims = "", signature = ""] = altered({}, {}).split(".");
  const lastDigit = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const spareBit =
    signature.slice(0, -1) + (lastDigit[lastDigit.indexOf(signature.slice(-1)) ^ 1] ?? "");
  const flipped = (signature.startsWith("A") ? "B" : "A") + signature.slice(1);
  const hmac = (key: string | Buffer): string =>
    `${hs256}.${createHmac("sha256", key).update(hs256).digest("base64url")}`;
  return {
    "not a token": "a.b.c",
    "too long": `${"A".repeat(3_000)}.e30.x`,
    "alg none": `${encode({ ...good.header, alg: "none" })}.${encode(good.claims)}.`,
    "no signature": `${header}.${claims}.`,
    "HS256 with the public key": hmac(pem),
    "HS256 with the raw public key": hmac(Buffer.from(publicJwk(publicKey).x, "base64url")),
    "a flipped bit in the signature": `${header}.${claims}.${flipped}`,
    "a flipped spare bit in the signature": `${header}.${claims}.${spareBit}`,
    "a changed claim": `${header}.${encode({ ...good.claims, role: "operator" })}.${signature}`,
    "another's key": forge(other.privateKey, good.header, good.claims),
    "another's key by its own kid": forge(
      other.privateKey,
      { ...good.header, kid: publicJwk(other.publicKey).kid },
      good.claims,
    ),
    "another's key in the header": forge(
      other.privateKey,
      { ...good.header, jwk: publicJwk(other.publicKey) },
      good.claims,
    ),
    "jku of a stranger": forge(
      other.privateKey,
      { ...good.header, jku: "https://keys.example/jwks.json" },
      good.claims,
    ),
    "another kid": altered({ kid: "../../etc/passwd" }, {}),
    "no kid": altered({ kid: undefined }, {}),
    "a list of kids": altered({ kid: [good.header.kid] }, {}),
    "crit unknown": altered({ crit: ["b64"], b64: false }, {}),
    "wrong issuer": altered({}, { iss: "elsewhere" }),
    "wrong audience": altered({}, { aud: "boxoffice-services" }),
    "no audience": altered({}, { aud: undefined }),
    "wrong type": altered({ typ: "JWT" }, {}),
    "no type": altered({ typ: undefined }, {}),
    "not yet valid": altered({}, { nbf: Math.floor(Date.now() / 1_000) + 60 }),
    "no expiry": altered({}, { exp: undefined }),
    "expiry as text": altered({}, { exp: "4102444800" }),
    "no subject": altered({}, { sub: undefined }),
    "subject not text": altered({}, { sub: 1 }),
    "no session": altered({}, { sid: undefined }),
    "session not text": altered({}, { sid: 1 }),
    "no id": altered({}, { jti: undefined }),
    "unknown role": altered({}, { role: "root" }),
  };
}
