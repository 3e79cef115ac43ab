import type { Database } from "../../../lib/database/pool.ts";
import type { Notification } from "../notification.ts";
import { CLAIM_S } from "./notification.sql.ts";

/** Holders per statement: an event may have a hundred thousand. */
const HOLDERS_AT_ONCE = 500;
const BEFORE_ALL = "00000000-0000-0000-0000-000000000000";

/**
 * Writes the next part of an event's notifications: one per holder of active tickets that were
 * bought before the change. Notes in the notification how far it came, so that another notifier
 * goes on after a crash, and renews its claim. $1 key, $2 event, $3 last holder, $4 holders, $5
 * seconds of the claim.
 */
const NEXT_HOLDERS = {
  name: "notifier-next-holders",
  text: `
    WITH cause AS (
      SELECT dedupe_key, created_at, facts - 'after' AS facts FROM notification
      WHERE dedupe_key = $1
    ), holders AS (
      SELECT DISTINCT ticket.user_id FROM event_tickets AS ticket, cause
      WHERE ticket.event_id = $2 AND ticket.user_id > $3::uuid AND ticket.cancelled_at IS NULL
        AND ticket.purchased_at < cause.created_at
      ORDER BY ticket.user_id LIMIT $4
    ), told AS (
      INSERT INTO notification (dedupe_key, kind, account_id, event_id, facts)
      SELECT md5(concat_ws(' ', cause.dedupe_key, holders.user_id))::uuid, 'event-change',
        holders.user_id, $2, cause.facts
      FROM cause, holders JOIN user_account ON user_account.id = holders.user_id
      ON CONFLICT (dedupe_key) DO NOTHING
    ), last AS (
      SELECT user_id FROM holders ORDER BY user_id DESC LIMIT 1
    ), noted AS (
      UPDATE notification SET due_at = clock_timestamp() + make_interval(secs => $5),
        facts = facts || jsonb_build_object('after', last.user_id)
      FROM last WHERE dedupe_key = $1
    )
    SELECT last.user_id AS after, (SELECT count(*)::integer FROM holders) AS holders FROM last`,
} as const;

/** Writes a notification for each holder of the event's tickets, once each, in parts. */
export async function fanOut(
  database: Database,
  { key, eventId, facts }: Notification,
): Promise<void> {
  let after = typeof facts.after === "string" ? facts.after : BEFORE_ALL;
  for (;;) {
    const [part] = await database.query<{ after: string; holders: number }>({
      ...NEXT_HOLDERS,
      values: [key, eventId, after, HOLDERS_AT_ONCE, CLAIM_S],
    });
    if (part === undefined || part.holders < HOLDERS_AT_ONCE) return;
    ({ after } = part);
  }
}
