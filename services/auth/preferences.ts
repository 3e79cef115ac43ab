import type { Database } from "../../lib/database/pool.ts";

/** Kinds of mails that a person can switch off. A link for a new password is always sent. */
export const MAIL_CHOICES = ["receipt", "cancellation", "event-change"] as const;
type Choice = (typeof MAIL_CHOICES)[number];

export const MAIL_LANGUAGES = ["en", "de"] as const;
export type MailLanguage = (typeof MAIL_LANGUAGES)[number];

/** `mailsOff`: the kinds that are not sent. */
export type Preferences = {
  language: MailLanguage;
  mailsOff: Choice[];
  emailConfirmed: boolean;
};
export type PreferencesChange = Partial<Pick<Preferences, "language" | "mailsOff">>;

const COLUMNS = `language, mails_off AS "mailsOff",
  email_confirmed_at IS NOT NULL AS "emailConfirmed"`;

/** Reads a person's preferences; undefined without account. */
export async function readPreferences(
  database: Database,
  accountId: string,
): Promise<Preferences | undefined> {
  const text = `SELECT ${COLUMNS} FROM user_account WHERE id = $1`;
  return (await database.query<Preferences>({ text, values: [accountId] }))[0];
}

/** Changes what is given, and returns all. Undefined without account. */
export async function changePreferences(
  database: Database,
  accountId: string,
  { language, mailsOff }: PreferencesChange,
): Promise<Preferences | undefined> {
  const text = `UPDATE user_account
    SET language = coalesce($2, language), mails_off = coalesce($3::text[], mails_off)
    WHERE id = $1 RETURNING ${COLUMNS}`;
  const values = [accountId, language ?? null, mailsOff ?? null];
  return (await database.query<Preferences>({ text, values }))[0];
}
