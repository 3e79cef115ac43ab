/** SQL of the notifier. Times are PostgreSQL's clock. */

/**
 * Keys of notifications that are due, what people wait for first. $1 limit. Two index ranges per
 * rank; claimed rows are due later.
 */
export const DUE = {
  name: "notifier-due",
  text: `
    SELECT dedupe_key AS key FROM notification
    WHERE state = 'waiting' AND due_at <= clock_timestamp() ORDER BY rank, due_at LIMIT $1`,
} as const;

/** A claimed notification that is not ended within this time is due again: its notifier died. */
export const CLAIM_S = 120;

/**
 * Claims one due notification for $2 seconds, and reads what its mail needs. $1 key. No row: it is
 * done, or another notifier has it.
 */
export const CLAIM = {
  name: "notifier-claim",
  text: `
    WITH claimed AS (
      UPDATE notification
      SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => $2)
      WHERE dedupe_key = $1 AND state = 'waiting' AND due_at <= clock_timestamp()
      RETURNING *
    )
    SELECT claimed.dedupe_key AS key, claimed.kind, claimed.account_id AS "accountId",
      claimed.event_id AS "eventId", claimed.facts, claimed.attempts,
      (extract(epoch FROM claimed.created_at) * 1000)::float8 AS "createdAtMs",
      extract(epoch FROM clock_timestamp() - claimed.created_at)::float8 AS "ageS",
      account.email, account.language, claimed.kind = ANY (account.mails_off) AS "isOff",
      CASE WHEN event.id IS NOT NULL THEN json_build_object(
        'id', event.id, 'name', event.name, 'location', event.location, 'country', event.country,
        'timeZone', event.time_zone, 'duration', event.duration, 'status', event.status,
        'startsAtMs', extract(epoch FROM event.starts_at) * 1000) END AS event
    FROM claimed
      LEFT JOIN user_account AS account ON account.id = claimed.account_id
      LEFT JOIN event ON event.id = claimed.event_id`,
} as const;

/**
 * The orders of a customer for an event: tickets at first, those still active, and those cancelled
 * at $3. $1 event, $2 customer. `id` is the first half of the transaction's id, as in the key of
 * its receipt.
 */
export const ORDERS = {
  name: "notifier-orders",
  text: `
    SELECT encode(substr(transaction_id, 1, 16), 'hex') AS id, count(*)::integer AS bought,
      count(*) FILTER (WHERE cancelled_at IS NULL)::integer AS left,
      count(*) FILTER (WHERE cancelled_at = $3::timestamptz)::integer AS cancelled
    FROM event_tickets WHERE event_id = $1 AND user_id = $2
    GROUP BY substr(transaction_id, 1, 16) ORDER BY min(purchased_at)`,
} as const;

/** Ends a notification. $1 key, $2 state, $3 reason. */
export const END = {
  name: "notifier-end",
  text: `
    UPDATE notification SET state = $2, done_at = clock_timestamp(), reason = $3
    WHERE dedupe_key = $1 AND state = 'waiting'`,
} as const;

/** Tries again after $2 seconds. $1 key, $3 reason. */
export const POSTPONE = {
  name: "notifier-postpone",
  text: `
    UPDATE notification
    SET due_at = clock_timestamp() + make_interval(secs => $2), reason = $3
    WHERE dedupe_key = $1 AND state = 'waiting'`,
} as const;

/** Deletes what was done more than $1 days ago, dead letters too, $2 at most. */
export const PURGE = {
  name: "notifier-purge",
  text: `
    DELETE FROM notification WHERE dedupe_key IN (
      SELECT dedupe_key FROM notification
      WHERE done_at < clock_timestamp() - make_interval(days => $1)
      ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING dedupe_key`,
} as const;

/**
 * What waits, for how long the first of it is due, and what is dead. A mail that its recipient's
 * server has put off is due later.
 */
export const BACKLOG = {
  name: "notifier-backlog",
  text: `
    SELECT (SELECT count(*)::float8 FROM notification WHERE state = 'waiting') AS waiting,
      (SELECT extract(epoch FROM clock_timestamp() - min(due_at))::float8 FROM notification
        WHERE state = 'waiting' AND due_at < clock_timestamp()) AS "overdueS",
      (SELECT count(*)::float8 FROM notification WHERE state = 'dead') AS dead`,
} as const;

/** Dead letters and, without $1, also what waits after a failed try; the oldest first. $2 limit. */
export const TROUBLED = {
  name: "notifier-troubled",
  text: `
    SELECT dedupe_key AS key, kind, state, attempts, event_id AS "eventId",
      account_id AS "accountId", reason,
      to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "createdAt",
      to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "dueAt"
    FROM notification
    WHERE state = 'dead' OR (state = 'waiting' AND attempts > 0 AND NOT $1::boolean)
    ORDER BY created_at LIMIT $2`,
} as const;

/** Makes dead letters due again, one ($1) or all, counted anew. */
export const REVIVE = {
  name: "notifier-revive",
  text: `
    WITH again AS (
      UPDATE notification SET state = 'waiting', done_at = NULL, attempts = 0,
        created_at = clock_timestamp(), due_at = clock_timestamp()
      WHERE state = 'dead' AND ($1::uuid IS NULL OR dedupe_key = $1) RETURNING 1
    ) SELECT count(*)::integer AS revived FROM again`,
} as const;
