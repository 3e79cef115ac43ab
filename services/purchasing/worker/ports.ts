import type { Answer } from "../../../domain/refusal.ts";
import type { EventStatus } from "../../../domain/event-record.ts";
import type { Command } from "../../../domain/event-state.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import type { Availability } from "../../../lib/availability/availability-cache.ts";

/** A ticket as the contract shows it (openapi.yaml, Ticket). */
export type Ticket = {
  id: string;
  eventId: string;
  eventName: string;
  location: string;
  eventDate: string;
  eventStatus: EventStatus;
  transactionId: string;
  status: "active" | "cancelled";
  purchasedAt: string;
  cancelledAt: string | null;
};
export type TransactionStatus = "pending" | "completed" | "failed";
/** A purchase as the contract shows it; `replayed` travels in a header. */
export type Purchase = {
  transactionId: string;
  status: TransactionStatus;
  eventId: string;
  quantity: number;
  tickets: Ticket[];
  replayed: boolean;
};
export type Outcome = Answer<Purchase | Ticket>;

/** The event as read in one statement after the epoch was taken. */
export type LoadedEvent = {
  eventName: string;
  location: string;
  eventDate: string;
  status: EventStatus;
  startsAtMs: number;
  endsAtMs: number;
  available: number;
  clockMs: number;
};

/**
 * Identifies a purchase. No index has the ids of millions of purchases; tickets are indexed by
 * event and customer.
 */
export type PurchaseKey = { transactionId: string; userId: string };
/**
 * What a batch needs and its worker does not know yet. `userIds`: customers whose active tickets
 * must be counted.
 */
export type Needs = { purchases: PurchaseKey[]; ticketIds: string[]; userIds: string[] };
/**
 * Epoch (0: another node has it) and batch as PostgreSQL has them, and what was needed. Unknown ids
 * are missing.
 */
export type Loaded = {
  epoch: number;
  batch: number;
  clockMs: number;
  sales: { transactionId: string; userId: string; quantity: number }[];
  tickets: { ticketId: string; userId: string; cancelled: boolean }[];
  activeTickets: { userId: string; count: number }[];
};

export type Ownership = { eventId: string; epoch: number; batch: number };
export type SoldTickets = { transactionId: string; userId: string; ticketIds: string[] };
export type CancelledTicket = { transactionId: string; userId: string; ticketId: string };
/** `alone`: PostgreSQL is slow for this event, so its commit shares no statement with others. */
export type Changes = {
  event: LoadedEvent;
  sold: SoldTickets[];
  cancelled: CancelledTicket[];
  alone?: boolean;
};

/**
 * `failed`: PostgreSQL refused, nothing was committed. `oversell`: fewer places are left than the
 * batch would sell, so the decision was wrong. `unknown`: no answer came; the statement may
 * have committed, or may still commit. `fenced`: another node holds a newer epoch, nothing was
 * committed.
 */
export type CommitResult =
  | { type: "committed"; batch: number; clockMs: number; cancelled: Ticket[] }
  | { type: "fenced" }
  | { type: "failed"; error: Error; reason?: "oversell" | "time-out" | undefined }
  | { type: "unknown"; error: Error };

/** Reads customers of an event, in the order of their ids, each once. */
export type ReadBuyers = (eventId: string, after: string, most: number) => Promise<string[]>;

/** Room for customers that workers remember. `take`: false if it is full. */
export type BuyersRoom = { take(): boolean; giveBack(customers: number): void };

/** The truth. Every method but `commit` rejects when PostgreSQL does not answer in time. */
export type EventStore = {
  /** Committed when it resolves. Undefined: there is no such event. */
  takeEpoch(eventId: string): Promise<number | undefined>;
  loadEvent(eventId: string): Promise<LoadedEvent>;
  load(eventId: string, needs: Needs): Promise<Loaded>;
  commit(ownership: Ownership, changes: Changes): Promise<CommitResult>;
  /** Sales and tickets as they are now, for answers to replays. */
  readPurchases(
    eventId: string,
    purchases: readonly PurchaseKey[],
  ): Promise<Map<string, Omit<Purchase, "replayed">>>;
  readTickets(ticketIds: string[]): Promise<Map<string, Ticket>>;
  /** Customers with tickets of the event, active or cancelled, in the order of their ids. */
  readBuyers: ReadBuyers;
};

/**
 * The lock for order. `acquire` never rejects. Its result is not held if another node still holds
 * it, or no quorum answers (`degraded`).
 */
export type Lease = {
  acquire(eventId: string, waitMs: number, cutShort: Promise<void>): Promise<HeldLease>;
};
export type HeldLease = { held(): boolean; release(): Promise<void> };

/**
 * Notifies the ledger. No caller waits for it. The pending rows are the outbox, so a lost message
 * costs time only.
 */
export type Publisher = { publish(batch: Ownership): void };

/** What a batch has committed. `purchases` is in the order of `sold`. */
export type CommittedChanges = {
  sold: readonly SoldTickets[];
  purchases: readonly Purchase[];
  cancelled: readonly CancelledTicket[];
  cancelledTickets: readonly Ticket[];
  committedAtMs: number;
};

/** The copies in Redis. Neither method rejects or takes long. */
export type Copies = {
  /** Withdraws the copies of tickets before the batch after `left` cancels them. */
  withdraw(left: Availability, cancelled: readonly CancelledTicket[]): Promise<void>;
  /** Writes what a batch leaves to sell and what it has changed. */
  write(left: Availability, changes: CommittedChanges): Promise<void>;
};

/** Where this node believes the event lives. */
export type Router = {
  isOwner(eventId: string): boolean;
  /** Marks the command so that it is served where it lands. */
  forward(eventId: string, command: Command): Promise<Outcome>;
  /** Whether that node answers within `withinMs`. Never rejects. */
  ping(nodeId: string, withinMs: number): Promise<boolean>;
};

/**
 * `knownMax`: entries of each kind (sales, tickets, customers) that a worker remembers; more is
 * loaded again. All workers of a node remember ten times as many.
 */
export type WorkerLimits = {
  batchMax: number;
  mailboxMax: number;
  ticketsPerCustomerMax: number;
  knownMax: number;
};

export type WorkerPorts = {
  store: EventStore;
  lease: Lease;
  publisher: Publisher;
  copies: Copies;
  clock: Clock;
  router: Router;
  /** UUIDv7 for a ticket sold at this instant. */
  newTicketId: (nowMs: number) => string;
  /** From 0 to below 1. */
  random: () => number;
  limits: WorkerLimits;
  /** Room for what the node's workers know of their buyers. */
  buyersRoom: BuyersRoom;
  /** Facts for operators: what happened to the worker of this event. */
  note(event: WorkerNote, eventId: string, data?: Record<string, unknown>): void;
  /** Undefined if metrics are disabled. */
  watch?: PurchaseMetrics | undefined;
};
export type WorkerNote =
  | "epoch-taken"
  | "epoch-lost"
  | "commit-failed"
  | "oversell-prevented"
  | "commit-unknown"
  | "store-away"
  | "degraded"
  | "passivated"
  | "fault";

/**
 * What the workers report about their work. Called for every command, so each call is a few
 * additions.
 */
export type PurchaseMetrics = {
  /** A command that came at `arrivedMs`, of the monotonic clock, has its answer. */
  answered(command: "BuyTickets" | "CancelTicket", outcome: Outcome, arrivedMs: number): void;
  /** The mailbox was full. */
  turnedAway(): void;
  /** These were taken from the mailbox at once, at `nowMs`. */
  taken(entries: readonly { arrivedMs: number }[], nowMs: number): void;
  noted(note: WorkerNote): void;
};
