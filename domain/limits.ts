/**
 * Tickets that one purchase may buy. Gateway and bus take it from here, the page from the OpenAPI
 * document: after a change, run `npx boxoffice api-types`.
 */
export const TICKETS_PER_PURCHASE_MAX = 10;

/**
 * Active tickets of one event that one customer may hold. TICKETS_PER_CUSTOMER_MAX overrides it.
 */
export const TICKETS_PER_CUSTOMER_MAX = 10;
