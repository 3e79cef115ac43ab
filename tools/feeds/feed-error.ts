/** Stops the import: the rest of the feed cannot be read. The message names the position. */
export class FeedError extends Error {}
