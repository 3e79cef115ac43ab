import type { ServiceSchema } from "moleculer";
import {
  createInternalTokenMint,
  createInternalTokenVerifier,
  type MintInternalToken,
  type VerifyInternalToken,
} from "../lib/auth/jwt.ts";
import { configOf } from "../lib/bus/node-context.ts";
import { defineMixin } from "./define-mixin.ts";

/** What `TokensMixin` adds to a service. */
export type WithTokens = { tokens: { mint: MintInternalToken; verify: VerifyInternalToken } };

/**
 * Gives a service the internal tokens that name the caller on whose behalf it calls another
 * service.
 */
export function TokensMixin(): Partial<ServiceSchema> {
  return defineMixin<WithTokens>({
    created() {
      const { internalTokenSecret } = configOf(this.broker);
      this.tokens = {
        mint: createInternalTokenMint(internalTokenSecret),
        verify: createInternalTokenVerifier(internalTokenSecret),
      };
    },
  });
}
