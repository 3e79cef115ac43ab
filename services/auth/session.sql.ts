/** Columns of whose session it is, as `SessionRow` names them. The clock is always PostgreSQL's. */
const WHOSE = `s.id AS "sessionId", extract(epoch FROM s.expires_at - clock_timestamp())::float8 AS "lifeS",
  a.id, a.email, a.name, a.role`;

const ALIVE = "s.revoked_at IS NULL AND s.expires_at > clock_timestamp()";

/**
 * $1 session, $2 account, $3 the hash that the password was found right for, $4 user agent, $5 address, $6 hash of the token, $7 days,
 * $8 how many older sessions may go on. The account's row is locked: a sign-in beside a change of password is before it and ended by it,
 * or after it and no more.
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
    SELECT id FROM user_session WHERE user_id = $2 AND revoked_at IS NULL ORDER BY last_used_at DESC OFFSET $8)
), token AS (
  INSERT INTO refresh_token (hash, session_id, created_at) SELECT $6, begun.id, now FROM begun, clock
)
SELECT ${WHOSE} FROM begun s JOIN account a ON a.id = s.user_id`;

/** $1 hash of the presented token, $2 salt, $3 hash of the successor that follows from both, $4 user agent, $5 address. One of many wins. */
export const ROTATE = `
WITH won AS (
  UPDATE refresh_token t SET rotated_at = clock_timestamp(), salt = $2
  FROM user_session s
  WHERE t.hash = $1 AND t.rotated_at IS NULL AND s.id = t.session_id AND ${ALIVE}
  RETURNING t.session_id, t.rotated_at
), successor AS (
  INSERT INTO refresh_token (hash, session_id, created_at) SELECT $3, session_id, rotated_at FROM won
), used AS (
  UPDATE user_session s SET last_used_at = won.rotated_at, user_agent = $4, address = $5 FROM won WHERE s.id = won.session_id
  RETURNING s.id, s.user_id, s.expires_at
)
SELECT ${WHOSE} FROM used s JOIN user_account a ON a.id = s.user_id`;

/** $1 hash of the presented token, $2 seconds of grace, $3 the most links. The token's own row, and those a successor may be found by. */
export const CHAIN = `
SELECT t.hash, t.salt, coalesce(t.rotated_at > clock_timestamp() - make_interval(secs => $2), true) AS young, ${ALIVE} AS alive, ${WHOSE}
FROM refresh_token t JOIN user_session s ON s.id = t.session_id JOIN user_account a ON a.id = s.user_id
WHERE t.session_id = (SELECT session_id FROM refresh_token WHERE hash = $1)
  AND (t.hash = $1 OR t.rotated_at IS NULL OR t.rotated_at > clock_timestamp() - make_interval(secs => $2))
ORDER BY t.hash <> $1, t.created_at DESC LIMIT $3`;

/** $1 hash of any token of the session. */
export const END_BY_TOKEN = `
UPDATE user_session SET revoked_at = clock_timestamp()
WHERE revoked_at IS NULL AND id = (SELECT session_id FROM refresh_token WHERE hash = $1)
RETURNING user_id AS "userId"`;

/** $1 account, $2 session. */
export const END_ONE = `
UPDATE user_session s SET revoked_at = clock_timestamp() WHERE user_id = $1 AND id = $2 AND ${ALIVE} RETURNING id`;

/** $1 account, $2 the session that goes on, or null. */
export const END_ALL = `
UPDATE user_session SET revoked_at = clock_timestamp() WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2::uuid`;

/** $1 account, $2 the most. */
export const LIST = `
SELECT s.id, s.created_at AS "createdAt", s.last_used_at AS "lastUsedAt", s.user_agent AS "userAgent", s.address
FROM user_session s WHERE s.user_id = $1 AND ${ALIVE} ORDER BY s.last_used_at DESC, s.id LIMIT $2`;

/** $1 the most at once. What another node is deleting is left to it. */
export const SWEEP = `
WITH expired AS (
  SELECT id FROM user_session WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), revoked AS (
  SELECT id FROM user_session WHERE revoked_at < now() - interval '1 hour' ORDER BY revoked_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM user_session WHERE id IN (SELECT id FROM expired UNION SELECT id FROM revoked) RETURNING id
)
SELECT count(*)::float8 AS count FROM gone`;
