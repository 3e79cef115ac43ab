/** Customers in one part of a reading. */
const PART = 2_000;
/** Customers that all workers of a node remember: some 50 MB. */
const NODE_MAX = 500_000;

/** The room that the workers of a node share. A worker gives back what it took. */
export class BuyersRoom {
  private left: number;

  constructor(customersMax = NODE_MAX) {
    this.left = customersMax;
  }

  take(): boolean {
    if (this.left === 0) return false;
    this.left -= 1;
    return true;
  }
  giveBack(customers: number): void {
    this.left += customers;
  }
}

/** Reads customers of an event, in the order of their ids, each once. */
export type ReadBuyers = (eventId: string, after: string, most: number) => Promise<string[]>;

/**
 * The customers who have bought tickets of an event under any epoch so far. One that is not among
 * them has bought nothing: no load is needed to decide their purchase, and no key of theirs is
 * sold.
 *
 * It is true only as long as the epoch is ours: only its holder sells. It is read in the background
 * after the epoch was taken, and used once it is complete. If the node's room is not enough it
 * stays incomplete, and all purchases load.
 */
export class Buyers {
  private readonly room: BuyersRoom;
  private readonly ids = new Set<string>();
  private complete = false;
  private closed = false;

  constructor(room: BuyersRoom) {
    this.room = room;
  }

  /** Reads the buyers of earlier epochs. Ends early, incomplete, if PostgreSQL does not answer. */
  async fill(eventId: string, read: ReadBuyers): Promise<void> {
    let after = "";
    try {
      while (!this.closed) {
        const part = await read(eventId, after, PART);
        for (const userId of part) if (!this.add(userId)) return;
        after = part.at(-1) ?? after;
        if (part.length < PART) {
          this.complete = !this.closed;
          return;
        }
      }
    } catch {
      // Without it purchases load what they need.
    }
  }

  /** Adds a customer who is about to buy. Returns false if there is no room. */
  add(userId: string): boolean {
    if (this.closed || this.ids.has(userId)) return !this.closed;
    if (!this.room.take()) {
      this.close();
      return false;
    }
    this.ids.add(userId);
    return true;
  }

  /** Whether it is certain that this customer has bought nothing. */
  excludes(userId: string): boolean {
    return this.complete && !this.ids.has(userId);
  }

  /** Forgets all, when the epoch may have passed. */
  close(): void {
    this.closed = true;
    this.complete = false;
    this.room.giveBack(this.ids.size);
    this.ids.clear();
  }
}
