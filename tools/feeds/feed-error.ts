/** The feed as a whole cannot be read any further; the message says where. */
export class FeedError extends Error {}
