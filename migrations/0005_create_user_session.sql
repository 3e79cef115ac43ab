-- Sign-ins that can be listed and ended one by one. A session is a family of refresh tokens, each used once: what ends is the
-- session's row, so that no token of it can slip through while another is being rotated.
-- Foreign keys, unlike with sales: no row here is hot, and what belongs to a deleted account or session must go with it.
-- expand
CREATE TABLE user_session (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  user_agent text,
  address text
);
CREATE INDEX user_session_by_user ON user_session (user_id, last_used_at) WHERE revoked_at IS NULL;
CREATE INDEX user_session_expiry ON user_session (expires_at);
CREATE INDEX user_session_revocation ON user_session (revoked_at) WHERE revoked_at IS NOT NULL;

-- Hashes only. The successor of a used token follows from the token itself, the salt and a secret that is not here.
CREATE TABLE refresh_token (
  hash bytea PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES user_session (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  rotated_at timestamptz,
  salt bytea,
  CONSTRAINT refresh_token_salt_with_rotation CHECK ((rotated_at IS NULL) = (salt IS NULL))
);
CREATE INDEX refresh_token_by_session ON refresh_token (session_id, rotated_at);
-- However many use a token at once, a session has one that is not used yet.
CREATE UNIQUE INDEX refresh_token_one_successor ON refresh_token (session_id) WHERE rotated_at IS NULL;
