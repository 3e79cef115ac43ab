/** The addresses that are pages of the app, with the names of their parameters. The gateway answers each of them with the app itself. */
export const PATHS = {
  browse: "/",
  event: "/events/:eventId",
  tickets: "/tickets",
  ticket: "/tickets/:ticketId",
  signIn: "/sign-in",
  register: "/register",
  account: "/account",
  engine: "/engine",
} as const;
