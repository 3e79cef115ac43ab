import type { BuyTickets, CancelTicket, Command } from "../../domain/event-state.ts";
import { TICKETS_PER_PURCHASE_MAX } from "../../domain/limits.ts";
import { LIST_MAX, type ListedCommand } from "../../lib/bus/command-list.ts";

/** `insteadOf`: the node that owns the event and did not answer its caller. */
export type BuyParams = { eventId: string; quantity: number; key: string; insteadOf?: string };
export type CancelParams = { eventId: string; ticketId: string; insteadOf?: string };
export type ServeParams = { eventId: string; command: Command };
export type SubmitParams = { commands: ListedCommand[] };
export type CollectParams = { list: string };

const uuid = { type: "uuid" } as const;
const places = { type: "number", integer: true, min: 1, max: TICKETS_PER_PURCHASE_MAX };
const nodeId = { type: "string", min: 1, max: 255, optional: true };
const hexId = { type: "string", pattern: "^[0-9a-f]{128}$" };

export const BUY_PARAMS = {
  $$strict: true,
  eventId: uuid,
  quantity: places,
  key: { type: "string", min: 1, max: 255 },
  insteadOf: nodeId,
};

export const CANCEL_PARAMS = { $$strict: true, eventId: uuid, ticketId: uuid, insteadOf: nodeId };

/**
 * Only the form of the list. Each command's own call checks the rest, so that one bad command fails
 * alone. A later release may add members.
 */
export const SUBMIT_PARAMS = {
  $$strict: true,
  commands: {
    type: "array",
    min: 1,
    max: LIST_MAX,
    items: {
      type: "object",
      props: {
        action: { type: "enum", values: ["purchasing.buy", "purchasing.cancel"] },
        params: { type: "object" },
        meta: { type: "object" },
        requestId: { type: "string", min: 1, max: 255 },
      },
    },
  },
};

export const COLLECT_PARAMS = {
  $$strict: true,
  list: { type: "string", pattern: "^[0-9a-f]{32}$" },
};

export const SERVE_PARAMS = {
  $$strict: true,
  eventId: uuid,
  command: {
    type: "object",
    strict: true,
    props: {
      type: { type: "enum", values: ["BuyTickets", "CancelTicket"] },
      transactionId: hexId,
      userId: uuid,
      quantity: { ...places, optional: true },
      ticketId: { ...uuid, optional: true },
    },
  },
};

/** A command that SERVE_PARAMS let through: they know both kinds at once. */
type Unchecked<Kind extends Command> = Pick<Kind, "type"> & Partial<Kind>;

/**
 * Checks that a command has the members of its kind. SERVE_PARAMS allows both kinds; a purchase
 * without a quantity would make the availability NaN.
 */
export function isComplete(command: Unchecked<BuyTickets> | Unchecked<CancelTicket>): boolean {
  return command.type === "BuyTickets"
    ? command.quantity !== undefined
    : command.ticketId !== undefined;
}
