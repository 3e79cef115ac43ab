import type { TokenPurpose } from "../../lib/auth/mail-token.ts";

/** Minutes for which a link to choose a new password works. */
export const RESET_MINUTES = 30;
/** Days for which a link to confirm an address works. */
export const CONFIRMATION_DAYS = 7;

/**
 * Stores a token's hash and asks for the mail, in one statement. `account` selects the account's id
 * by $1. $2 hash, $3 key of the notification, $4 time for which the link works, in `unit`s.
 */
function requestLink(purpose: TokenPurpose, unit: "days" | "mins", account: string): string {
  const until = `clock_timestamp() + make_interval(${unit} => $4)`;
  return `
WITH account AS (
  ${account}
), token AS (
  INSERT INTO account_token (hash, purpose, account_id, expires_at)
  SELECT $2::bytea, '${purpose}', id, ${until} FROM account
)
INSERT INTO notification (dedupe_key, kind, account_id, facts)
SELECT $3::uuid, '${purpose}', id, jsonb_build_object('expiresAt', ${until})
FROM account`;
}

/**
 * Also where no account has the address: a known and an unknown address then take the same work and
 * the same commit. $1 key of the address.
 */
export const REQUEST_RESET = requestLink(
  "password-reset",
  "mins",
  "SELECT (SELECT id FROM user_account WHERE email_key = $1::text) AS id",
);

/** Only for an address that is not confirmed. $1 account. */
export const REQUEST_CONFIRMATION = requestLink(
  "confirmation",
  "days",
  "SELECT id FROM user_account WHERE id = $1 AND email_confirmed_at IS NULL",
);

/** Finds the account of a token that is valid. $1 hash, $2 purpose. */
export const FIND_OWNER = `
SELECT account.id, account.email, account.name FROM account_token AS token
JOIN user_account AS account ON account.id = token.account_id
WHERE token.hash = $1 AND token.purpose = $2 AND token.expires_at > clock_timestamp()`;

/** Uses a token up. One of several concurrent calls gets the row. $1 hash, $2 purpose. */
export const USE = `
DELETE FROM account_token
WHERE hash = $1 AND purpose = $2 AND expires_at > clock_timestamp()
RETURNING account_id AS "accountId"`;

/** Replaces the password. Reading the mail has confirmed the address. $1 account, $2 hash. */
export const SET_PASSWORD = `
UPDATE user_account SET password_hash = $2,
  email_confirmed_at = coalesce(email_confirmed_at, clock_timestamp())
WHERE id = $1`;

/** Ends all links of an account to a new password. $1 account. */
export const END_RESETS = `
DELETE FROM account_token WHERE account_id = $1 AND purpose = 'password-reset'`;

export const CONFIRM = `
UPDATE user_account SET email_confirmed_at = coalesce(email_confirmed_at, clock_timestamp())
WHERE id = $1`;

/** Deletes expired tokens. $1 limit. */
export const SWEEP_TOKENS = `
DELETE FROM account_token WHERE hash IN (
  SELECT hash FROM account_token WHERE expires_at < clock_timestamp()
  ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;
