/** Columns of a session and its account, as GrantRow names them. The clock is PostgreSQL's. */
const GRANT_COLUMNS = `s.id AS "sessionId",
  extract(epoch FROM s.expires_at - clock_timestamp())::float8 AS "lifeS",
  a.id, a.email, a.name, a.role`;

const ALIVE = "s.revoked_at IS NULL AND s.expires_at > clock_timestamp()";

/**
 * Begins a session. $1 session, $2 account, $3 the hash that the password was checked against,
 * $4 user agent, $5 address, $6 hash of the token, $7 days, $8 older sessions that may stay.
 * Locks the account's row: a sign-in during a change of password either comes first and is ended
 * by it, or comes later and fails.
 */
export const BEGIN = `
WITH account AS (
  SELECT id, email, name, role FROM user_account WHERE id = $2 AND password_hash = $3 FOR SHARE
), clock AS (
  SELECT clock_timestamp() AS now
), begun AS (
  INSERT INTO user_session (id, user_id, created_at, last_used_at, expires_at, user_agent, address)
  SELECT $1, account.id, now, now, now + make_interval(days => $7), $4, $5 FROM account, clock
  RETURNING id, user_id, expires_at
), surplus AS (
  UPDATE user_session SET revoked_at = clock_timestamp() WHERE id IN (
    SELECT id FROM user_session
    WHERE user_id = $2 AND revoked_at IS NULL ORDER BY last_used_at DESC OFFSET $8)
), token AS (
  INSERT INTO refresh_token (hash, session_id, created_at)
  SELECT $6, begun.id, now FROM begun, clock
)
SELECT ${GRANT_COLUMNS} FROM begun s JOIN account a ON a.id = s.user_id`;

/**
 * Exchanges a token. $1 its hash, $2 salt, $3 hash of the successor that follows from both,
 * $4 user agent, $5 address. One of several concurrent calls wins.
 */
export const ROTATE = `
WITH won AS (
  UPDATE refresh_token t SET rotated_at = clock_timestamp(), salt = $2
  FROM user_session s
  WHERE t.hash = $1 AND t.rotated_at IS NULL AND s.id = t.session_id AND ${ALIVE}
  RETURNING t.session_id, t.rotated_at
), successor AS (
  INSERT INTO refresh_token (hash, session_id, created_at)
  SELECT $3, session_id, rotated_at FROM won
), used AS (
  UPDATE user_session s SET last_used_at = won.rotated_at, user_agent = $4, address = $5
  FROM won WHERE s.id = won.session_id
  RETURNING s.id, s.user_id, s.expires_at
)
SELECT ${GRANT_COLUMNS} FROM used s JOIN user_account a ON a.id = s.user_id`;

/**
 * Reads a token's row and the rows that can be its successors. $1 hash of the token, $2 seconds of
 * grace, $3 limit.
 */
export const CHAIN = `
SELECT t.hash, t.salt,
  coalesce(t.rotated_at > clock_timestamp() - make_interval(secs => $2), true) AS young,
  ${ALIVE} AS alive, ${GRANT_COLUMNS}
FROM refresh_token t
JOIN user_session s ON s.id = t.session_id
JOIN user_account a ON a.id = s.user_id
WHERE t.session_id = (SELECT session_id FROM refresh_token WHERE hash = $1)
  AND (t.hash = $1 OR t.rotated_at IS NULL
    OR t.rotated_at > clock_timestamp() - make_interval(secs => $2))
ORDER BY t.hash <> $1, t.created_at DESC LIMIT $3`;

/** Ends a session. $1 hash of any of its tokens. */
export const END_BY_TOKEN = `
UPDATE user_session SET revoked_at = clock_timestamp()
WHERE revoked_at IS NULL AND id = (SELECT session_id FROM refresh_token WHERE hash = $1)
RETURNING user_id AS "userId"`;

/** Ends one open session. $1 account, $2 session. */
export const END_ONE = `
UPDATE user_session s SET revoked_at = clock_timestamp()
WHERE user_id = $1 AND id = $2 AND ${ALIVE} RETURNING id`;

/** Ends all sessions of an account. $1 account, $2 session to keep, or null. */
export const END_ALL = `
UPDATE user_session SET revoked_at = clock_timestamp()
WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2::uuid`;

/** Lists open sessions. $1 account, $2 limit. */
export const LIST = `
SELECT s.id, s.created_at AS "createdAt", s.last_used_at AS "lastUsedAt",
  s.user_agent AS "userAgent", s.address
FROM user_session s WHERE s.user_id = $1 AND ${ALIVE}
ORDER BY s.last_used_at DESC, s.id LIMIT $2`;

/** Deletes ended sessions. $1 limit per call. Skips rows that another node is deleting. */
export const SWEEP = `
WITH expired AS (
  SELECT id FROM user_session WHERE expires_at < now()
  ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), revoked AS (
  SELECT id FROM user_session WHERE revoked_at < now() - interval '1 hour'
  ORDER BY revoked_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM user_session WHERE id IN (SELECT id FROM expired UNION SELECT id FROM revoked)
  RETURNING id
)
SELECT count(*)::float8 AS count FROM gone`;
