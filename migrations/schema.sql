-- Dumped by `npx boxoffice migrate --dump`; never edited by hand.
CREATE FUNCTION public.capacity_ledger_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('boxoffice.retention', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'capacity_ledger is append-only';
END $$;

CREATE FUNCTION public.event_week(date date) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT (date - '1970-01-01'::date) / 7 $$;

CREATE FUNCTION public.event_week_city(date date, name_key text, location_key text, city_key text, type_key text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE COST 100000 PARALLEL SAFE
    AS $$
DECLARE
  places text := location_key || E'\n' || coalesce(city_key, '');
  letters text[] := string_to_array(places, NULL);
  week text := lpad(((date - '1970-01-01'::date) / 7)::text, 4, '0');
  keys text[] := ARRAY[week || '=' || type_key];
  word text;
BEGIN
  FOR i IN 1 .. cardinality(letters) LOOP
    keys := keys || (week || letters[i]);
    IF i < cardinality(letters) THEN
      keys := keys || (week || letters[i] || letters[i + 1]);
    END IF;
    IF i + 1 < cardinality(letters) THEN
      keys := keys || (week || letters[i] || letters[i + 1] || letters[i + 2]);
    END IF;
  END LOOP;
  FOREACH word IN ARRAY regexp_split_to_array(name_key || E'\n' || places,
    '[\u0001-/:-@[-`{-\u00bf\u2000-\u206f\u3000-\u3003\u3008-\u3011\u30fb]+')
  LOOP
    IF char_length(word) >= 4 THEN
      keys := keys || (week || '~' || word);
    END IF;
  END LOOP;
  RETURN keys;
END $$;

CREATE FUNCTION public.event_week_grams(date date, name_key text, type_key text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT COST 100000 PARALLEL SAFE
    AS $$
DECLARE
  letters text[] := string_to_array(name_key, NULL);
  week text := lpad(((date - '1970-01-01'::date) / 7)::text, 4, '0');
  keys text[] := ARRAY[week || '=' || type_key];
BEGIN
  FOR i IN 1 .. cardinality(letters) LOOP
    keys := keys || (week || letters[i]);
    IF i < cardinality(letters) THEN
      keys := keys || (week || letters[i] || letters[i + 1]);
    END IF;
    IF i + 1 < cardinality(letters) THEN
      keys := keys || (week || letters[i] || letters[i + 1] || letters[i + 2]);
    END IF;
  END LOOP;
  RETURN keys;
END $$;

CREATE FUNCTION public.event_week_keys(week integer, grams text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
BEGIN
  RETURN ARRAY(SELECT lpad(week::text, 4, '0') || gram FROM unnest(grams) AS gram);
END $$;

CREATE FUNCTION public.event_week_start(week integer) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT '1970-01-01'::date + 7 * week $$;

CREATE FUNCTION public.event_word_deletions(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
  SELECT ARRAY(
    SELECT word UNION
    SELECT left(word, i - 1) || substr(word, i + 1) FROM generate_series(1, char_length(word)) AS i
  )
$$;

CREATE FUNCTION public.event_word_grams(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
  SELECT ARRAY(
    SELECT DISTINCT substr(word, start, length)
    FROM generate_series(1, char_length(word)) AS start, generate_series(1, 3) AS length
  )
$$;

CREATE FUNCTION public.event_words(key text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
  SELECT DISTINCT word FROM regexp_split_to_table(key,
    '[\u0001-/:-@[-`{-\u00bf\u2000-\u206f\u3000-\u3003\u3008-\u3011\u30fb]+') AS word
  WHERE char_length(word) >= 4
$$;

CREATE FUNCTION public.keep_event_words() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    INSERT INTO event_word (word)
      SELECT word FROM event_words(concat_ws(E'\n', NEW.name_key, NEW.location_key, NEW.city_key))
        AS word ORDER BY word COLLATE "C"
      ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO event_word (word)
      SELECT DISTINCT word COLLATE "C"
      FROM written, event_words(concat_ws(E'\n', name_key, location_key, city_key)) AS word
      ORDER BY 1
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.require_count(what text, actual bigint, expected bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION '% differ from the decision: % instead of %', what, actual, expected USING ERRCODE = 'BX001';
  END IF;
  RETURN true;
END $$;

CREATE TABLE public.account_token (
    hash bytea NOT NULL,
    purpose text NOT NULL,
    account_id uuid,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT account_token_purpose_check CHECK ((purpose = ANY (ARRAY['password-reset'::text, 'confirmation'::text])))
);

CREATE TABLE public.backup_run (
    name text NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.capacity_ledger (
    transaction_id bytea NOT NULL,
    event_id uuid NOT NULL,
    user_id uuid,
    quantity integer NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    batch bigint DEFAULT 0 NOT NULL,
    transactions integer DEFAULT 1 NOT NULL
);

CREATE TABLE public.event (
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL,
    type_key text NOT NULL COLLATE pg_catalog."C",
    location text NOT NULL,
    location_key text NOT NULL COLLATE pg_catalog."C",
    country text,
    url text,
    date date NOT NULL,
    start_time time without time zone NOT NULL,
    end_time time without time zone NOT NULL,
    duration integer NOT NULL,
    time_zone text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    total_capacity integer NOT NULL,
    capacity integer NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    source_id text NOT NULL COLLATE pg_catalog."C",
    status text DEFAULT 'scheduled'::text NOT NULL,
    ticket_move_epoch bigint,
    city_key text COLLATE pg_catalog."C",
    sequence integer,
    image_url text,
    image jsonb,
    CONSTRAINT event_capacity_within_total CHECK (((0 <= capacity) AND (capacity <= total_capacity))),
    CONSTRAINT event_duration_check CHECK ((duration >= 0)),
    CONSTRAINT event_ends_after_start CHECK ((ends_at >= starts_at)),
    CONSTRAINT event_status_check CHECK ((status = ANY (ARRAY['scheduled'::text, 'postponed'::text, 'cancelled'::text]))),
    CONSTRAINT event_total_capacity_check CHECK ((total_capacity >= 0))
)
WITH (autovacuum_vacuum_insert_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05', fillfactor='85');

CREATE TABLE public.event_ticket_transactions (
    transaction_id bytea NOT NULL,
    event_id uuid NOT NULL,
    user_id uuid NOT NULL,
    event_date date NOT NULL,
    quantity integer NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    epoch bigint NOT NULL,
    batch bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT event_ticket_transactions_quantity_check CHECK ((quantity <> 0)),
    CONSTRAINT event_ticket_transactions_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'completed'::text, 'failed'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='5000');

CREATE TABLE public.event_tickets (
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    user_id uuid NOT NULL,
    event_date date NOT NULL,
    transaction_id bytea NOT NULL,
    ordinal smallint NOT NULL,
    purchased_at timestamp with time zone NOT NULL,
    cancelled_at timestamp with time zone
);

CREATE TABLE public.event_word (
    word text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.event_worker (
    event_id uuid NOT NULL,
    epoch bigint NOT NULL,
    batch bigint NOT NULL,
    node text NOT NULL,
    available integer,
    available_epoch bigint,
    CONSTRAINT event_worker_available_check CHECK ((available >= 0))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');

CREATE TABLE public.notification (
    dedupe_key uuid NOT NULL,
    kind text NOT NULL,
    account_id uuid,
    event_id uuid,
    facts jsonb DEFAULT '{}'::jsonb NOT NULL,
    rank smallint GENERATED ALWAYS AS (
CASE kind
    WHEN 'password-reset'::text THEN 0
    WHEN 'confirmation'::text THEN 0
    WHEN 'event-change'::text THEN 2
    ELSE 1
END) STORED NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    done_at timestamp with time zone,
    reason text,
    CONSTRAINT notification_done CHECK (((state = 'waiting'::text) = (done_at IS NULL))),
    CONSTRAINT notification_kind_check CHECK ((kind = ANY (ARRAY['receipt'::text, 'cancellation'::text, 'event-change'::text, 'password-reset'::text, 'confirmation'::text]))),
    CONSTRAINT notification_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'skipped'::text, 'dead'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000');

CREATE TABLE public.refresh_token (
    hash bytea NOT NULL,
    session_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    rotated_at timestamp with time zone,
    salt bytea,
    CONSTRAINT refresh_token_salt_with_rotation CHECK (((rotated_at IS NULL) = (salt IS NULL)))
);

CREATE TABLE public.user_account (
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    name text NOT NULL,
    role text DEFAULT 'customer'::text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    mails_off text[] DEFAULT '{}'::text[] NOT NULL,
    email_confirmed_at timestamp with time zone,
    CONSTRAINT user_account_role_check CHECK ((role = ANY (ARRAY['customer'::text, 'operator'::text])))
);

CREATE TABLE public.user_session (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    user_agent text,
    address text
);

ALTER TABLE ONLY public.account_token
    ADD CONSTRAINT account_token_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.backup_run
    ADD CONSTRAINT backup_run_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.capacity_ledger
    ADD CONSTRAINT capacity_ledger_pkey PRIMARY KEY (event_id, epoch, batch, transaction_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_source_key UNIQUE (source, source_id);

ALTER TABLE ONLY public.event_ticket_transactions
    ADD CONSTRAINT event_ticket_transactions_pkey PRIMARY KEY (transaction_id, event_id);

ALTER TABLE ONLY public.event_tickets
    ADD CONSTRAINT event_tickets_pkey PRIMARY KEY (id, event_id);

ALTER TABLE ONLY public.event_word
    ADD CONSTRAINT event_word_pkey PRIMARY KEY (word);

ALTER TABLE ONLY public.event_worker
    ADD CONSTRAINT event_worker_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.notification
    ADD CONSTRAINT notification_pkey PRIMARY KEY (dedupe_key);

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT refresh_token_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_email_key_key UNIQUE (email_key);

ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_pkey PRIMARY KEY (id);

CREATE INDEX account_token_by_account ON public.account_token USING btree (account_id) WHERE (account_id IS NOT NULL);

CREATE INDEX account_token_expiry ON public.account_token USING btree (expires_at);

CREATE INDEX capacity_ledger_by_customer ON public.capacity_ledger USING btree (event_id, user_id) WHERE (user_id IS NOT NULL);

CREATE UNIQUE INDEX capacity_ledger_cancellations ON public.capacity_ledger USING btree (event_id, transaction_id) WHERE ((quantity > 0) AND (transaction_id <> '\x'::bytea));

CREATE INDEX event_by_city ON public.event USING btree (city_key, date, starts_at, id) INCLUDE (ends_at, type_key, name_key, location_key) WHERE (city_key IS NOT NULL);

CREATE INDEX event_by_date ON public.event USING btree (date, starts_at, id) INCLUDE (ends_at, name_key);

CREATE INDEX event_by_date_long ON public.event USING btree (date, starts_at, id) INCLUDE (ends_at, name_key, type_key, location_key) WHERE (duration > 4320);

CREATE INDEX event_by_image ON public.event USING btree (((image ->> 'hash'::text))) WHERE (image IS NOT NULL);

CREATE INDEX event_by_location ON public.event USING btree (location_key, date, starts_at, id) INCLUDE (ends_at, type_key, name_key);

CREATE INDEX event_by_type ON public.event USING btree (type_key, date, starts_at, id) INCLUDE (ends_at, name_key);

CREATE INDEX event_by_week_city ON public.event USING gin (public.event_week_city(date, name_key, location_key, city_key, type_key)) WITH (fastupdate='on', gin_pending_list_limit='1024');
ALTER INDEX public.event_by_week_city ALTER COLUMN 1 SET STATISTICS 0;

CREATE INDEX event_by_week_grams ON public.event USING gin (public.event_week_grams(date, name_key, type_key)) WITH (fastupdate='on', gin_pending_list_limit='1024');
ALTER INDEX public.event_by_week_grams ALTER COLUMN 1 SET STATISTICS 0;

CREATE INDEX event_location ON public.event USING btree (location);

CREATE INDEX event_ticket_moves ON public.event USING btree (id) WHERE (ticket_move_epoch IS NOT NULL);

CREATE INDEX event_ticket_transactions_by_event ON public.event_ticket_transactions USING btree (event_id, epoch, batch);

CREATE INDEX event_tickets_by_user ON public.event_tickets USING btree (user_id, event_date, id);

CREATE UNIQUE INDEX event_tickets_sale_key ON public.event_tickets USING btree (event_id, user_id, substr(transaction_id, 1, 16), ordinal);

CREATE INDEX event_word_by_deletions ON public.event_word USING gin (public.event_word_deletions(word)) WITH (fastupdate=off);

CREATE INDEX event_word_by_grams ON public.event_word USING gin (public.event_word_grams(word)) WITH (fastupdate=off);

CREATE INDEX notification_by_account ON public.notification USING btree (account_id);

CREATE INDEX notification_dead ON public.notification USING btree (created_at) WHERE (state = 'dead'::text);

CREATE INDEX notification_done_at ON public.notification USING btree (done_at) WHERE (done_at IS NOT NULL);

CREATE INDEX notification_due ON public.notification USING btree (rank, due_at) WHERE (state = 'waiting'::text);

CREATE INDEX refresh_token_by_session ON public.refresh_token USING btree (session_id, rotated_at);

CREATE UNIQUE INDEX refresh_token_one_successor ON public.refresh_token USING btree (session_id) WHERE (rotated_at IS NULL);

CREATE INDEX user_session_by_user ON public.user_session USING btree (user_id, last_used_at) WHERE (revoked_at IS NULL);

CREATE INDEX user_session_expiry ON public.user_session USING btree (expires_at);

CREATE INDEX user_session_revocation ON public.user_session USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE TRIGGER capacity_ledger_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.capacity_ledger FOR EACH STATEMENT EXECUTE FUNCTION public.capacity_ledger_is_append_only();

CREATE TRIGGER event_words_of_inserted AFTER INSERT ON public.event REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.keep_event_words();

CREATE TRIGGER event_words_of_updated AFTER UPDATE OF name_key, location_key, city_key ON public.event FOR EACH ROW WHEN ((((old.name_key IS DISTINCT FROM new.name_key) OR (old.location_key IS DISTINCT FROM new.location_key)) OR (old.city_key IS DISTINCT FROM new.city_key))) EXECUTE FUNCTION public.keep_event_words();

ALTER TABLE ONLY public.account_token
    ADD CONSTRAINT account_token_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.event_worker
    ADD CONSTRAINT event_worker_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.event(id);

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.user_session(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;
