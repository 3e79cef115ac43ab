import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Tls } from "./http-server.ts";

/** Read again rather than watched: secrets are often mounted as links that are swapped, which watchers miss. */
const LOOK_MS = 2_000;

type Renewal = {
  /** Hears of each new certificate that works. */
  renewed: (tls: Tls) => void;
  /** Hears once of new files that do not; the old certificate stays. */
  broken: (reason: string) => void;
};

/** Looks after the certificate's files; the answer ends it. */
export function followCertificate(first: Tls, { renewed, broken }: Renewal): () => void {
  let used = `${first.cert}\n${first.key}`;
  let latest = used;
  let refused: string | undefined;

  const look = async (): Promise<void> => {
    const tls = await read(first);
    const content = typeof tls === "string" ? tls : `${tls.cert}\n${tls.key}`;
    const settled = content === latest;
    latest = content;
    // Two files do not change at once: what is seen twice is meant.
    if (!settled || content === used || content === refused) return;
    const reason = typeof tls === "string" ? tls : unusable(tls);
    if (typeof tls === "string" || reason !== undefined) {
      refused = content;
      broken(reason ?? "");
      return;
    }
    used = content;
    refused = undefined;
    renewed(tls);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The files as they are now, or why they cannot be read. */
async function read(tls: Tls): Promise<Tls | string> {
  try {
    const [cert, key] = await Promise.all([
      readFile(tls.certFile, "utf8"),
      readFile(tls.keyFile, "utf8"),
    ]);
    return { ...tls, cert, key };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unreadable";
  }
}

function unusable({ cert, key }: Tls): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "not a certificate and its key";
  }
}
