/** A scenario prints its table, answers what is to be kept of it as JSON, and names what falls short of its own bounds. */
export type Outcome = { results: unknown; faults: string[] };
