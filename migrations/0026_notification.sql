-- expand
-- E-mails to send: outbox and record in one. Written in the transaction of its cause, sent by the
-- service notifier. A booking by a node of the last release writes none. See ADR-0089.
CREATE TABLE notification (
  -- Derived from the cause, so that a cause makes one row, however often it is told.
  dedupe_key uuid PRIMARY KEY,
  kind text NOT NULL CHECK (
    kind IN ('receipt', 'cancellation', 'event-change', 'password-reset', 'confirmation')),
  -- No foreign key: a booking waits for no account. Null: a cause that concerns all holders of the
  -- event, or a reset for an address without account.
  account_id uuid,
  event_id uuid,
  facts jsonb NOT NULL DEFAULT '{}',
  -- What a person waits for goes first, what goes to a crowd last.
  rank smallint NOT NULL GENERATED ALWAYS AS (
    CASE kind WHEN 'password-reset' THEN 0 WHEN 'confirmation' THEN 0 WHEN 'event-change' THEN 2
      ELSE 1 END) STORED,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'skipped', 'dead')),
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_at timestamptz,
  -- Why it is not sent. Never holds an address.
  reason text,
  CONSTRAINT notification_done CHECK ((state = 'waiting') = (done_at IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE INDEX notification_due ON notification (rank, due_at) WHERE state = 'waiting';
CREATE INDEX notification_done_at ON notification (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX notification_dead ON notification (created_at) WHERE state = 'dead';
CREATE INDEX notification_by_account ON notification (account_id);

-- The language of e-mails, the kinds that a person has switched off, and when the address was
-- confirmed (null: not yet).
ALTER TABLE user_account
  ADD COLUMN language text NOT NULL DEFAULT 'en',
  ADD COLUMN mails_off text[] NOT NULL DEFAULT '{}',
  ADD COLUMN email_confirmed_at timestamptz;
