import type { Mutant } from "./mutant.ts";
import { ACCOUNT_MUTANTS } from "./mutants-account.ts";
import { EDGE_MUTANTS } from "./mutants-edge.ts";
import { IDENTITY_MUTANTS } from "./mutants-identity.ts";
import { PICTURES_MUTANTS } from "./mutants-pictures.ts";
import { SERVERS_MUTANTS } from "./mutants-servers.ts";
import { SALES_MUTANTS } from "./mutants-sales.ts";

/** In the order of the checklist. */
export const MUTANTS: readonly Mutant[] = [
  ...SALES_MUTANTS,
  ...IDENTITY_MUTANTS,
  ...ACCOUNT_MUTANTS,
  ...EDGE_MUTANTS,
  ...SERVERS_MUTANTS,
  ...PICTURES_MUTANTS,
];
