-- Who may buy. email_key is the e-mail as compared (folded), email as typed.
-- expand
CREATE TABLE user_account (
  id uuid PRIMARY KEY,
  email text NOT NULL,
  email_key text NOT NULL UNIQUE,
  name text NOT NULL,
  role text NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'operator')),
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
