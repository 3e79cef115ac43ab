/** One mailbox, one account and one count of wrong passwords: however its address was typed. */
export function emailKeyOf(email: string): string {
  return email.trim().normalize("NFC").toLowerCase();
}
