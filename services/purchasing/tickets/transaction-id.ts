import { hash } from "node:crypto";

const ALGORITHM = "sha512";
/** SHA-512 takes so many bytes at a time, and gives so many. */
const BLOCK_BYTES = 128;
const HASH_BYTES = 64;
/** Two ids and a key of 255 characters, of three bytes at most each, with what stands between them, take 843. */
const TEXT_BYTES_MAX = 1_024;

/** The secret as HMAC-SHA512 (RFC 2104) puts it before a text, and before the hash of both; each with room for what follows. */
export type TransactionKey = { readonly inner: Buffer; readonly outer: Buffer };

/** Made once of the secret, which may be of any length. */
export function transactionKey(secret: string): TransactionKey {
  const bytes = Buffer.from(secret);
  const key = bytes.length > BLOCK_BYTES ? hash(ALGORITHM, bytes, "buffer") : bytes;
  const padded = (pad: number, roomBytes: number): Buffer => {
    const block = Buffer.alloc(BLOCK_BYTES + roomBytes, pad);
    for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
    return block;
  };
  return { inner: padded(0x36, TEXT_BYTES_MAX), outer: padded(0x5c, HASH_BYTES) };
}

/**
 * The id of a purchase, 128 hexadecimal digits: the same key of the same person for the same event is the same purchase, wherever and whenever it
 * arrives. `key` comes last, so that no choice of it can imitate another person's or event's.
 */
export function purchaseId(
  secret: TransactionKey,
  userId: string,
  eventId: string,
  key: string,
): string {
  return hmac(secret, `buy|${userId}|${eventId}|${key}`);
}

/** The id of a cancellation: a ticket can be cancelled once. */
export function cancellationId(secret: TransactionKey, ticketId: string): string {
  return hmac(secret, `cancel|${ticketId}`);
}

/** By Node's one-shot hash: `createHmac` makes an object of the runtime for each, which cost 8 % of a purchase in place of 5. */
function hmac({ inner, outer }: TransactionKey, text: string): string {
  // What is cut off would make two keys one.
  if (Buffer.byteLength(text) > TEXT_BYTES_MAX)
    throw new RangeError("The parts of a transaction id are too long");
  const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES);
  outer.write(hash(ALGORITHM, inner.subarray(0, end), "binary"), BLOCK_BYTES, "latin1");
  return hash(ALGORITHM, outer);
}
