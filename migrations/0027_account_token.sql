-- expand
-- Single-use tokens of e-mails, hashed: a new password, the confirmation of an address. A used one
-- is deleted. account_id is null for a request with an unknown address: it makes a row as well, so
-- that it takes the same time.
CREATE TABLE account_token (
  hash bytea PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('password-reset', 'confirmation')),
  account_id uuid REFERENCES user_account ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX account_token_by_account ON account_token (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX account_token_expiry ON account_token (expires_at);
