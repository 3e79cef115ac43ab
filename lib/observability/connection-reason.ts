/** Node's and OpenSSL's codes of a certificate that was refused. */
const UNTRUSTED =
  /^(?:(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?|UNABLE_TO_(?:VERIFY|GET)_\w+|CERT_\w+|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)$/;

/** Tells whether a connection failed because the server's certificate is not trusted. */
export function isUntrusted(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause, original } = error as Error & { code?: unknown; original?: unknown };
  if (typeof code === "string" && UNTRUSTED.test(code)) return true;
  // Sequelize puts the error of pg into its own.
  return [cause, original].some((inner) => inner !== error && isUntrusted(inner));
}

/** Says in one line why a connection to a server failed, and the remedy for a bad certificate. */
export function reasonOf(error: Error): string {
  return isUntrusted(error)
    ? `its certificate is not trusted (${error.message}); ` +
        "SERVERS_CA_FILE must name the authority that signed it, and the URL a host of it"
    : error.message;
}
