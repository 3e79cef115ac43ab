import { type Mutant, without } from "./mutant.ts";

const LINKS = "services/auth/mail-links.sql.ts";

/** S35 and S40: links in e-mails, a person's own data. */
export const ACCOUNT_MUTANTS: readonly Mutant[] = [
  without(
    "the single use of a link",
    "S35: a link sets",
    [
      LINKS,
      'DELETE FROM account_token WHERE hash = $1 AND purpose = $2 AND expires_at > clock_timestamp() RETURNING account_id AS "accountId"',
      'SELECT account_id AS "accountId" FROM account_token WHERE hash = $1 AND purpose = $2 AND expires_at > clock_timestamp()',
    ],
    // A new password ends all links of the account, the used one too.
    [
      LINKS,
      "DELETE FROM account_token WHERE account_id = $1 AND purpose",
      "DELETE FROM account_token WHERE account_id = $1 AND false AND purpose",
    ],
  ),
  without(
    "the end of a link",
    "S35: a link works for 30",
    [LINKS, "token.purpose = $2 AND token.expires_at > clock_timestamp()", "token.purpose = $2"],
    [
      LINKS,
      "DELETE FROM account_token WHERE hash = $1 AND purpose = $2 AND expires_at > clock_timestamp()",
      "DELETE FROM account_token WHERE hash = $1 AND purpose = $2",
    ],
  ),
  without("the end of sessions at a reset", "S35: a link sets", [
    "services/auth/mail-links.ts",
    "await sessions.endAll(accountId, undefined, connection);",
    "",
  ]),
  without("the end of links at a change of password", "S35: a changed password", [
    "services/auth/account-store.ts",
    "if (rows.length === 1) await links.endResets(account.id, connection);",
    "",
  ]),
  without("the hash of tokens", "S35: tokens are stored hashed", [
    "lib/auth/mail-token.ts",
    'createHash("sha256").update(token).digest()',
    "Buffer.from(token)",
  ]),
  without("the rows of an unknown address", "S35: an unknown address", [
    LINKS,
    "until} FROM account )",
    "until} FROM account WHERE id IS NOT NULL )",
  ]),
  without("the limit of an address", "S35: requests are throttled", [
    "services/api/http/rate-limits.ts",
    "return { verdict: await links.take(hashOf(recipient)) };",
    "return { verdict: byAddress };",
  ]),
  without("that an export is of one person", "S40: an export", [
    "services/auth/account-data.ts",
    "FROM user_session WHERE user_id = $1 ORDER",
    "FROM user_session WHERE $1::uuid IS NOT NULL ORDER",
  ]),
  without("the sessions in an export", "S40: an export", [
    "services/auth/account-data.ts",
    "{ account, sessions, notifications }",
    "{ account, sessions: [], notifications }",
  ]),
  without("the row of the account in an erasure", "S40: an erasure leaves", [
    "services/auth/account-data.ts",
    "DELETE FROM user_account WHERE id = $1 AND password_hash = $2 RETURNING id",
    "UPDATE user_account SET name = '' WHERE id = $1 AND password_hash = $2 RETURNING id",
  ]),
  without("the e-mails in an erasure", "S40: an erasure leaves", [
    "services/auth/account-data.ts",
    "DELETE FROM notification USING erased WHERE account_id = erased.id",
    "SELECT id FROM erased",
  ]),
  without("the password of an erasure", "S40: an erasure wants", [
    "services/auth/accounts.ts",
    'owner.value === undefined ? refused("INVALID_CREDENTIALS") : accepted(account)',
    "accepted(account)",
  ]),
];
