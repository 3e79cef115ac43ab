import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Tls } from "./http-server.ts";
import { guarded } from "../../../lib/observability/faults.ts";

/** Polled: file watchers miss secrets that are mounted as swapped symbolic links. */
const POLL_MS = 2_000;

type Renewal = {
  /** Called with each new certificate that works. */
  renewed: (tls: Tls) => void;
  /** Called once for new files that do not work; the old certificate stays. */
  broken: (reason: string) => void;
};

/** Follows the certificate's files. Returns a function that stops it. */
export function followCertificate(first: Tls, { renewed, broken }: Renewal): () => void {
  let used = `${first.cert}\n${first.key}`;
  let latest = used;
  let refused: string | undefined;

  const poll = async (): Promise<void> => {
    const tls = await read(first);
    const content = typeof tls === "string" ? tls : `${tls.cert}\n${tls.key}`;
    const settled = content === latest;
    latest = content;
    // The two files change one after the other: content counts once it is seen twice.
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
  const timer = setInterval(() => guarded("timer", poll), POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Reads the files, or returns why they cannot be read. */
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
