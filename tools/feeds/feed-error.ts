/** Stops the import: the rest of the feed cannot be read. The message names the position. */
export class FeedError extends Error {}

/** A record that cannot become an event. The message is one phrase for the operator. */
export class UnusableRecord extends Error {}
