/** Route patterns of the pages. The gateway answers each of them with the app. */
export const PATHS = {
  browse: "/",
  event: "/events/:eventId",
  tickets: "/tickets",
  ticket: "/tickets/:ticketId",
  order: "/orders/:orderId",
  printedOrder: "/orders/:orderId/print",
  signIn: "/sign-in",
  register: "/register",
  forgot: "/forgot",
  reset: "/reset",
  confirm: "/confirm",
  account: "/account",
  engine: "/engine",
} as const;
