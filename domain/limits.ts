/** Tickets that one purchase may buy. The gateway, the bus and the page take it from here. */
export const TICKETS_PER_PURCHASE_MAX = 10;

/**
 * Active tickets of one event that one customer may hold. TICKETS_PER_CUSTOMER_MAX overrides it.
 */
export const TICKETS_PER_CUSTOMER_MAX = 10;
