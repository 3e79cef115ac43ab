/** Returns one key per mailbox, for any spelling of its address. */
export function emailKeyOf(email: string): string {
  return email.trim().normalize("NFC").toLowerCase();
}
