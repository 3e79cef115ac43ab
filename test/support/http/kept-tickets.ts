import type { Page } from "playwright-core";

export type KeptTicket = { id: string; code: string };

/** Reads the tickets that the device keeps, around the app. Undefined if it keeps none. */
export function keptTickets(page: Page): Promise<KeptTicket[] | undefined> {
  return page.evaluate<KeptTicket[] | undefined>(`new Promise((resolve, reject) => {
    const opened = indexedDB.open("keyval-store");
    opened.onerror = () => reject(opened.error);
    opened.onupgradeneeded = () => opened.transaction.abort();
    opened.onsuccess = () => {
      const read = opened.result.transaction("keyval").objectStore("keyval").get("boxoffice.tickets");
      read.onsuccess = () => {
        opened.result.close();
        resolve(read.result?.tickets);
      };
    };
  }).catch(() => undefined)`);
}

/** Removes them, around the app: a database in use is deleted as soon as the page is left. */
export async function forgetTickets(page: Page): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const request = indexedDB.deleteDatabase("keyval-store");
    request.onsuccess = request.onblocked = resolve;
  })`);
}
