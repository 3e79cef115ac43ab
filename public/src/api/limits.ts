// Written by `npx boxoffice api-types` from the OpenAPI document.
export const TICKETS_PER_PURCHASE_MAX = 10;
