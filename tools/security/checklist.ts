/**
 * What an auditor checks, line by line: each must hold, and each has a test whose title begins with
 * its id.
 */
export const SECURITY_LINES: Readonly<Record<string, string>> = {
  S1: "The last places are sold once, however many ask at once",
  S2: "Check and act are one step: cancelling twice, buying what is being freed, buying at the event's start",
  S3: "A ticket that was never sold, or is another's, can be neither seen nor used, and the two cannot be told apart",
  S4: "The limit per customer and event holds over connections and gateways",
  S5: "Bursts are throttled, counted by all gateways together; X-Forwarded-For evades nothing",
  S6: "Buying and giving back in turn is throttled, and every place comes back",
  S7: "An idempotency key is one sale: repeated, at once, after a lost answer or the sell-out, through another gateway",
  S8: "Passwords are argon2id (19 MiB, two passes), each with its own salt; floods of logins cannot exhaust memory",
  S9: "Passwords of 12 to 128 characters, any, none cut or folded",
  S10: "Common and guessable passwords are refused, with a reason",
  S11: "No client can find out whether an account exists, by answer or by time",
  S12: "Sign-ins are throttled by account and by address; the owner is not locked out for good",
  S13: "Tokens are checked whole: algorithm, signature, type, issuer, audience, key and time",
  S14: "A refresh token has one successor, given again within 10 s; later reuse ends its family",
  S15: "Logout, logout everywhere and a new password end refresh tokens at once; seven days end them all",
  S16: "The refresh cookie is HttpOnly, Secure, SameSite=Strict and __Secure- on TLS; the token is stored hashed and written nowhere",
  S17: "What works by a cookie answers no other site's pages and no form",
  S18: "Only declared actions can be reached, and only by whom they name",
  S19: "No field is set that is not offered",
  S20: "Bad input is a 4xx, never a 500",
  S21: "Sizes and waits are bounded: bodies, headers, pages, slow senders",
  S22: "Other methods are a 405 with Allow, other media types a 415",
  S23: "Errors are problem documents and tell nothing of what is behind them",
  S24: "TLS 1.2 and 1.3 only; plain HTTP on loopback or behind a named proxy only",
  S25: "Pages, API and errors carry the headers that keep browsers safe",
  S26: "Other origins read nothing unless they are listed, letter by letter",
  S27: "Personal answers are kept by no cache and shown to no other caller",
  S28: "One structured line for each sign-in, refusal of access, purchase, cancellation and operator's act; no secret and no foreign line in it",
  S29: "Internal doors are shut: servers take credentials, metrics are not public, no account is there from the start",
  S30: "It fails closed: limits without Redis go on, production without secrets does not start",
  S31: "No input ends the process: an exception is one 500, one line and a metric",
  S32: "No connection is held for ever, whatever bytes it sends or does not read",
  S33: "The engine's database role is no superuser; migrations, engine and backups have roles of their own; services that need no SQL get no URL",
  S34: "Memory that strangers can fill is bounded in bytes",
  S35: "A link for a new password works once, for 30 minutes, is stored hashed, ends all sessions, and is throttled; unknown addresses get the same answer in the same time",
  S36: "Passwords are normalized (NFC) before they are hashed",
  S38: "Feeds are hostile: addresses of scripts, hidden letters, line breaks and endless names",
  S40: "Export gives a person all that is stored about them and nothing else; erasure leaves no name, e-mail or address in any table",
  S41: "In the cluster every connection to PostgreSQL, Redis, RabbitMQ and NATS is TLS with a named CA",
  S42: "An import fetches pictures by https from public addresses only, bounded in bytes, time and pixels; of other names no file is served",
};

/** The ids that a test's title begins with: `S29, S30: …`; empty for any other title. */
export function idsOf(title: string): string[] {
  return (
    /^S\d+(?:, S\d+)*(?=:)/
      .exec(title)?.[0]
      .split(", ")
      .filter((id) => id in SECURITY_LINES) ?? []
  );
}
